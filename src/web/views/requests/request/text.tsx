/** Texts of people and models, which are never HTML: long ones fold. */
import { useState } from "preact/hooks";
import * as say from "../../../shared/format";
import { Text as Plain } from "../../../shared/text";

const FOLDED_CHARACTERS = 1500;
const FOLDED_LINES = 18;
/** Folding that leaves out less is not worth a click. */
const WORTH = 1.3;

interface TextProps {
  readonly text: string;
  /** All of it is code, or JSON. */
  readonly isCode?: boolean;
}

export function Text({ text, isCode = false }: TextProps) {
  const [isWhole, setWhole] = useState(false);
  const head = headOf(text);
  const shown = isWhole ? text : head;
  return (
    <div class="text">
      {isCode ? <Code text={shown} /> : <Plain text={shown} />}
      {head.length < text.length && (
        <button type="button" class="button small" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show less" : `Show all ${say.count(text.length)} characters`}
        </button>
      )}
    </div>
  );
}

/** Anything, laid out as JSON. */
export function Json({ value }: { readonly value: unknown }) {
  return typeof value === "string" ? (
    <Text text={value} isCode />
  ) : (
    <Text text={JSON.stringify(value, null, 2) ?? ""} isCode />
  );
}

function Code({ text }: { readonly text: string }) {
  return (
    <pre>
      <code>{text}</code>
    </pre>
  );
}

/** As much as is shown of a long text. */
function headOf(text: string): string {
  let end = Math.min(text.length, FOLDED_CHARACTERS);
  let line = -1;
  for (let lines = 0; lines < FOLDED_LINES; lines++) {
    line = text.indexOf("\n", line + 1);
    if (line === -1) break;
  }
  if (line !== -1) end = Math.min(end, line);
  // Not between the halves of a character.
  return text.length > end * WORTH ? text.slice(0, end).replace(/[\ud800-\udbff]$/, "") : text;
}
