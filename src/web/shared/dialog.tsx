/** Dialogs: the browser's own, which keeps the focus inside and gives it back. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface DialogProps {
  readonly title: string;
  /** The Escape key. */
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface Question {
  readonly title: string;
  /** What will happen, with its numbers. */
  readonly text: ComponentChildren;
  /** On the button that does it: a verb. */
  readonly action: string;
}

const question = signal<(Question & { readonly answer: (yes: boolean) => void }) | null>(null);

/** Asks before something that can't be taken back. */
export function confirmed(asked: Question): Promise<boolean> {
  return new Promise((resolve) => {
    question.value = {
      ...asked,
      answer: (yes) => {
        question.value = null;
        resolve(yes);
      },
    };
  });
}

/** The dialog of `confirmed`; part of the frame. */
export function ConfirmDialog() {
  if (!question.value) return null;
  const { title, text, action, answer } = question.value;
  return (
    <Dialog title={title} onClose={() => answer(false)}>
      <p>{text}</p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={() => answer(false)}>
          Leave it
        </button>
        <button type="button" class="button danger" onClick={() => answer(true)}>
          {action}
        </button>
      </div>
    </Dialog>
  );
}
