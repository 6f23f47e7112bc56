/** Clicks on buttons that take the place of others. */

/** Whether it belongs to a double click, of which the first was meant for the button that was there before. */
export function isSecondClick(event: MouseEvent): boolean {
  return event.detail > 1;
}
