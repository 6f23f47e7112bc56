import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Access } from "../../access";
import { endedSession } from "../../session";
import { about, doneModels, errorModels, nullable, timeSchema } from "../common";

const sessionModels = {
  Session: Type.Object(
    {
      success: Type.Boolean({ examples: [true] }),
      message: Type.String({ examples: ["Session begun"] }),
      ends_at: nullable(timeSchema, { description: "Null where no key is needed, and no session" }),
    },
    { description: "A session that was begun" },
  ),
};

const tag = "Session";

export function sessionRoutes({ access }: { readonly access: Access }) {
  return new Elysia({ name: "session" })
    .model({ ...sessionModels, ...doneModels, ...errorModels })
    .post(
      "/api/session",
      ({ request, set }) => {
        const session = access.begin(request.headers);
        if (!session) return { success: true, message: "No key is needed here", ends_at: null };
        set.headers["set-cookie"] = session.cookie;
        return { success: true, message: "Session begun", ends_at: session.endsAt.toISOString() };
      },
      {
        response: { 200: "Session" },
        detail: about(
          tag,
          "Begin a session",
          "Trades the admin key, sent as `Authorization: Bearer KEY`, for a cookie that is as good for seven days from the page of this server alone: HttpOnly, SameSite=Strict, without the key in it. Another key ends all sessions.",
          "changes",
        ),
      },
    )
    .delete(
      "/api/session",
      ({ set }) => {
        set.headers["set-cookie"] = endedSession();
        return { success: true, message: "Session ended" };
      },
      {
        response: { 200: "Done" },
        detail: about(tag, "End a session", "Takes the cookie from this browser."),
      },
    );
}
