// Which of the theme's colours a service has. The colours themselves are in styles/tokens.css.

/** Slots that styles/tokens.css gives a hue to. */
export const SLOTS = 14;

/** FNV-1a: the same name has the same slot in every session and on every machine. */
export function preferredSlot(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  }
  hash ^= hash >>> 15;
  return (hash >>> 0) % SLOTS;
}

/** Slots given out so far. While some are free, no two services share one. */
export class Palette {
  private readonly slots = new Map<string, number>();

  slot(name: string): number {
    const known = this.slots.get(name);
    if (known !== undefined) {
      return known;
    }
    let slot = preferredSlot(name);
    if (this.slots.size < SLOTS) {
      const taken = new Set(this.slots.values());
      while (taken.has(slot)) {
        // 5 is prime to 14, so every slot is tried; and neighbours in hue are tried late.
        slot = (slot + 5) % SLOTS;
      }
    }
    this.slots.set(name, slot);
    return slot;
  }
}
