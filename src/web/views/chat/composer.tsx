/** Where one writes: Enter sends, Shift and Enter begin a line, Escape stops. */
import type { RefObject } from "preact";
import { isSecondClick } from "../../shared/parts";
import { sayError } from "../../shared/toasts";
import {
  draft,
  edited,
  editLast,
  isRunning,
  type Picture,
  pictures,
  send,
  stop,
  stopEditing,
} from "./conversation";

interface ComposerProps {
  readonly model: string;
  readonly takesPictures: boolean;
  readonly field: RefObject<HTMLTextAreaElement | null>;
}

export function Composer({ model, takesPictures, field }: ComposerProps) {
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send(model);
      }}
    >
      {edited.value !== null && (
        <p class="muted">
          Your last message, to be sent anew.{" "}
          <button type="button" class="button small" onClick={stopEditing}>
            Leave it as it was
          </button>
        </p>
      )}
      {pictures.value.length > 0 && (
        <ul class="choices">
          {pictures.value.map((picture) => (
            <li key={picture.url} class="chip">
              {picture.name}
              <button
                type="button"
                class="button small plain"
                aria-label={`Leave out ${picture.name}`}
                onClick={() => {
                  pictures.value = pictures.value.filter((one) => one !== picture);
                }}
              >
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="composer-line">
        <textarea
          ref={field}
          aria-label="Message"
          dir="auto"
          placeholder={`Message ${model}`}
          rows={2}
          value={draft.value}
          onInput={(event) => {
            draft.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.isComposing) return;
            if (event.key === "Enter" && !event.shiftKey) {
              event.preventDefault();
              send(model);
            } else if (event.key === "Escape" && (isRunning.value || edited.value !== null)) {
              // The field is left by the next one.
              event.preventDefault();
              if (isRunning.value) stop();
              else stopEditing();
            } else if (event.key === "ArrowUp" && draft.value === "") editLast();
          }}
        />
        {takesPictures && (
          <label class="button add-picture">
            Image
            <input
              class="unseen"
              type="file"
              accept="image/*"
              multiple
              onChange={(event) => {
                addPictures([...(event.currentTarget.files ?? [])]);
                event.currentTarget.value = "";
              }}
            />
          </label>
        )}
        {isRunning.value ? (
          // Not one button whose type changes: the click that stops would then send what is half typed.
          <button
            key="stop"
            type="button"
            class="button"
            title="Stop (Escape)"
            onClick={(event) => {
              if (isSecondClick(event)) return;
              stop();
              // As when the view is opened: not where that brings up a keyboard.
              if (matchMedia("(hover: hover)").matches) field.current?.focus();
            }}
          >
            Stop
          </button>
        ) : (
          <button
            key="send"
            type="submit"
            class="button primary"
            disabled={model === "" || (draft.value.trim() === "" && pictures.value.length === 0)}
          >
            Send
          </button>
        )}
      </div>
    </form>
  );
}

function addPictures(files: readonly File[]): void {
  Promise.all(files.map(read)).then((read) => {
    pictures.value = [...pictures.value, ...read];
  }, sayError);
}

function read(file: File): Promise<Picture> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ name: file.name, url: String(reader.result) });
    reader.onerror = () => reject(new Error(`${file.name} can’t be read`));
    reader.readAsDataURL(file);
  });
}
