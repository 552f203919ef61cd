// A count of errors: red, and with a mark and a word, for red alone says nothing to many.
import { formatCount } from "../model/count.ts";
import { Icon } from "./icons.tsx";

export function Errors({ count, isShort = false }: { count: number; isShort?: boolean }) {
  if (count === 0) {
    return isShort ? <span class="quiet">0</span> : <span class="quiet">no errors</span>;
  }
  return (
    <span class="errors">
      <Icon name="error" size={13} />
      {formatCount(count)}
      {!isShort && (count === 1 ? " error" : " errors")}
    </span>
  );
}
