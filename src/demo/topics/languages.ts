import type { Topic } from "./topic";

const asked = {
  openings: ["{translated}"],
  points: ["{note}"],
  closings: [""],
  joined: "paragraphs",
} as const;

/** Translations, and talks in other languages than English. */
export const languages: readonly Topic[] = [
  {
    kind: "languages",
    cases: [
      {
        to: "German",
        text: "Your order will arrive on Tuesday.",
        translated: "Ihre Bestellung kommt am Dienstag an.",
        note: "For somebody you know well: „Deine Bestellung kommt am Dienstag an.“",
        polite: "Ihre Bestellung wird voraussichtlich am Dienstag bei Ihnen eintreffen.",
      },
      {
        to: "French",
        text: "Please restart the device and try again.",
        translated: "Veuillez redémarrer l'appareil et réessayer.",
        note: "« Veuillez » is the usual polite form in instructions.",
        polite: "Nous vous prions de bien vouloir redémarrer l'appareil et de réessayer.",
      },
      {
        to: "Spanish",
        text: "We have received your payment. Thank you!",
        translated: "Hemos recibido su pago. ¡Gracias!",
        note: "Informal: «Hemos recibido tu pago. ¡Gracias!»",
        polite: "Le confirmamos que hemos recibido su pago. Muchas gracias.",
      },
      {
        to: "Japanese",
        text: "The meeting has been moved to 10 o'clock.",
        translated: "会議は10時に変更になりました。",
        note: "This is polite and fits an e-mail to colleagues.",
        polite: "会議のお時間が10時に変更となりましたので、お知らせいたします。",
      },
      {
        to: "Italian",
        text: "The part is out of stock until Friday.",
        translated: "Il pezzo non è disponibile fino a venerdì.",
        note: '"Pezzo" is a spare part; for goods in a shop say "articolo".',
        polite: "La informiamo che il pezzo non sarà disponibile fino a venerdì.",
      },
    ],
    prompts: ['Translate into {to}: "{text}"', "How do I say this in {to}? {text}", "{to}, please: {text}"],
    ...asked,
    followUps: [["More polite, please.", "{polite}"]],
  },
  {
    kind: "languages",
    cases: [
      { thema: "einen Antrag auf Elternzeit", teil: "Beginn und Dauer", frist: "sieben Wochen vorher" },
      {
        thema: "eine Reklamation beim Lieferanten",
        teil: "Bestellnummer und Mangel",
        frist: "möglichst am selben Tag",
      },
      {
        thema: "eine Einladung zum Sommerfest",
        teil: "Ort, Zeit und was man mitbringt",
        frist: "drei Wochen vorher",
      },
      {
        thema: "eine Übergabe vor dem Urlaub",
        teil: "offene Aufgaben und wer sie übernimmt",
        frist: "zwei Tage vorher",
      },
    ],
    prompts: [
      "Wie schreibe ich {thema}? Bitte kurz, mit einem Beispiel.",
      "Ich brauche Hilfe: {thema}. Was gehört hinein?",
    ],
    openings: ["Gerne. Wichtig ist vor allem: {teil}.", "Halte es kurz. Hinein gehören: {teil}."],
    points: [
      "Schreibe das Wichtigste in den ersten Satz.",
      "Nenne ein Datum, bis zu dem du eine Antwort brauchst.",
      "Schicke es rechtzeitig ab, also {frist}.",
      "Ein freundlicher Schluss genügt; eine lange Begründung ist nicht nötig.",
      "Bewahre eine Kopie auf.",
    ],
    closings: ["Soll ich dir einen Entwurf schreiben?", "Viel Erfolg!"],
    joined: "list",
    followUps: [
      [
        "Ja, bitte einen Entwurf.",
        "Guten Tag,\n\nhiermit schicke ich Ihnen {thema}. Alles Nötige ({teil}) steht unten. Für eine kurze Bestätigung bis Ende der Woche wäre ich dankbar.\n\nMit freundlichen Grüßen",
      ],
    ],
  },
  {
    kind: "languages",
    cases: [
      { sujet: "préparer un entretien annuel", conseil: "noter trois réussites et une difficulté" },
      { sujet: "animer une réunion à distance", conseil: "donner la parole à chacun, dans l'ordre" },
      {
        sujet: "répondre à un client mécontent",
        conseil: "reconnaître le problème avant de proposer une solution",
      },
    ],
    prompts: ["Comment {sujet} ? Réponds en quelques points.", "Donne-moi des conseils pour {sujet}."],
    openings: ["Voici l'essentiel : {conseil}.", "Le plus utile est souvent le plus simple : {conseil}."],
    points: [
      "Prévoyez un temps limité et respectez-le.",
      "Posez des questions ouvertes, puis écoutez.",
      "Terminez par une action, un nom et une date.",
      "Gardez une trace écrite de ce qui a été convenu.",
    ],
    closings: ["Bon courage !", "Voulez-vous un exemple ?"],
    joined: "list",
    followUps: [
      [
        "Oui, un exemple s'il te plaît.",
        "Par exemple : « Merci d'être là. Nous avons trente minutes. Pour commencer, pouvez-vous me dire ce qui compte le plus pour vous aujourd'hui ? » Ensuite : {conseil}.",
      ],
    ],
  },
  {
    kind: "languages",
    cases: [
      {
        sentence: "He don't know where is the key.",
        right: "He doesn't know where the key is.",
        rule: '"doesn\'t" with he, she and it; in an indirect question the verb comes after the subject',
      },
      {
        sentence: "I am working here since three years.",
        right: "I have been working here for three years.",
        rule: 'for a time up to now English takes the present perfect, and "for" before a length of time',
      },
      {
        sentence: "If I would have time, I would come.",
        right: "If I had time, I would come.",
        rule: 'no "would" in the part with "if"',
      },
      {
        sentence: "The informations are on the web site.",
        right: "The information is on the website.",
        rule: '"information" has no plural',
      },
    ],
    prompts: ['Is this sentence correct? "{sentence}"', "Please correct my English: {sentence}"],
    openings: ['Almost. Correct is: "{right}"', 'Better: "{right}"'],
    points: [
      "The rule: {rule}.",
      "Your sentence would be understood, so don't worry.",
      "A native speaker would notice it, but not mind.",
    ],
    closings: ["Would you like a few sentences to practise?", "Good luck!"],
    joined: "paragraphs",
    followUps: [
      [
        "Give me three sentences to practise.",
        "Put these right:\n\n1. {sentence}\n2. She don't like to wait.\n3. We are knowing each other for long.\n\nRemember: {rule}.",
      ],
    ],
  },
];
