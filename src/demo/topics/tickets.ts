import type { Topic } from "./topic";

const answer =
  '{"category": "{category}", "urgency": "{urgency}", "language": "{language}", "summary": "{summary}"}';

/** What the night job sorts, one ticket a prompt. */
export const tickets: readonly Topic[] = [
  {
    kind: "tickets",
    cases: [
      {
        ticket:
          "Hello, my parcel should have come on {day}. The tracking page shows nothing since then. Can you look?",
        category: "delivery",
        urgency: "normal",
        language: "en",
        summary: "Parcel expected on {day}, tracking shows no progress",
      },
      {
        ticket: "The scanner at gate 2 does not turn on any more. We have trucks waiting!",
        category: "hardware",
        urgency: "high",
        language: "en",
        summary: "Scanner at gate 2 is dead, trucks are waiting",
      },
      {
        ticket: "Guten Tag, auf der Rechnung fehlt unsere Bestellnummer. Bitte korrigieren.",
        category: "billing",
        urgency: "normal",
        language: "de",
        summary: "Invoice lacks the customer's order number",
      },
      {
        ticket: "I forgot my password and the mail to reset it never comes. Checked spam as well.",
        category: "account",
        urgency: "normal",
        language: "en",
        summary: "Password reset mail does not arrive",
      },
      {
        ticket: "Bonjour, le colis est arrivé ouvert et il manque deux pièces.",
        category: "delivery",
        urgency: "high",
        language: "fr",
        summary: "Parcel arrived opened, two parts are missing",
      },
      {
        ticket: "Would be nice if the list remembered how I sorted it. No hurry.",
        category: "wish",
        urgency: "low",
        language: "en",
        summary: "List should remember its sorting",
      },
      {
        ticket:
          "Since the update the labels come out half a line too low. We print hundreds a day, so please soon.",
        category: "software",
        urgency: "high",
        language: "en",
        summary: "Labels print half a line too low since the update",
      },
      {
        ticket: "Hola, quiero cambiar la dirección de entrega de mi pedido de ayer.",
        category: "delivery",
        urgency: "normal",
        language: "es",
        summary: "Change of delivery address for yesterday's order",
      },
      {
        ticket: "You charged us twice this month. Please refund one and tell me when.",
        category: "billing",
        urgency: "high",
        language: "en",
        summary: "Charged twice, asks for a refund and a date",
      },
      {
        ticket: "How long is the warranty on the hand scanner? Bought two years ago.",
        category: "question",
        urgency: "low",
        language: "en",
        summary: "Asks for the warranty of a scanner bought two years ago",
      },
      {
        ticket: "The {team} team needs two more accounts from {day} on. Names follow.",
        category: "account",
        urgency: "normal",
        language: "en",
        summary: "Two more accounts for the {team} team from {day}",
      },
      {
        ticket: "Die App stürzt beim Foto ab, jedes Mal. Neu installiert habe ich schon.",
        category: "software",
        urgency: "normal",
        language: "de",
        summary: "App crashes when taking a photo, reinstalled already",
      },
    ],
    prompts: ["Category, urgency, language and a summary of one line for this ticket:\n\n{ticket}"],
    openings: [answer],
    points: [""],
    closings: [""],
    joined: "paragraphs",
    followUps: [],
  },
];
