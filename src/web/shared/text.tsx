/** What people and models write: text as it is, with its blocks of code set apart. Never HTML. */
import { useMemo } from "preact/hooks";
import { Copy, reachable } from "./parts";

interface Part {
  readonly isCode: boolean;
  /** Behind the fence that opens a block of code, such as "ts". */
  readonly language: string;
  readonly text: string;
}

export function Text({ text }: { readonly text: string }) {
  const parts = useMemo(() => partsOf(text), [text]);
  return (
    <>
      {parts.map((part, at) =>
        part.isCode ? (
          <figure key={`${at}`} class="code">
            <figcaption>
              {part.language || "text"} <Copy text={part.text} />
            </figcaption>
            <pre ref={reachable}>{part.text}</pre>
          </figure>
        ) : (
          <p key={`${at}`} dir="auto">
            {part.text}
          </p>
        ),
      )}
    </>
  );
}

/** Cut at Markdown's fences; a block that has no end yet goes on to the end of the text. */
function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let lines: string[] = [];
  let fence = "";
  let language = "";
  const close = () => {
    const isCode = fence !== "";
    const body = isCode ? lines.join("\n") : lines.join("\n").trim();
    if (isCode || body !== "") parts.push({ isCode, language, text: body });
    lines = [];
  };
  for (const line of text.split("\n")) {
    const [, marks = "", word = ""] = /^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)/.exec(line) ?? [];
    const isEnd = fence !== "" && marks.startsWith(fence) && word === "";
    if (isEnd || (fence === "" && marks !== "")) {
      close();
      fence = isEnd ? "" : marks;
      language = isEnd ? "" : word;
    } else lines.push(line);
  }
  close();
  return parts;
}
