/** Plain JSON, as a YAML file holds it. */
export type Json = { [key: string]: unknown };

/** The value at a dotted path of plain JSON; undefined when there is none. */
export function getField(root: unknown, path: string): unknown {
  let at: unknown = root;
  for (const key of path.split('.')) {
    if (at === null || typeof at !== 'object') return undefined;
    at = (at as Json)[key];
  }
  return at;
}

/**
 * Sets the value at a dotted path, in place. Maps that are missing on the way are made; a list is entered by
 * number and never grows.
 * @returns false when a list has no such entry, or the way leads through a plain value
 */
export function setField(root: Json, path: string, value: unknown): boolean {
  const keys = path.split('.');
  let at: Json = root;
  for (const [depth, key] of keys.entries()) {
    if (Array.isArray(at) && !(key in at)) return false;
    if (depth === keys.length - 1) {
      at[key] = value;
      return true;
    }
    at[key] ??= {};
    if (typeof at[key] !== 'object') return false;
    at = at[key] as Json;
  }
  return true;
}
