/**
 * A PlanetLab file is named `<node>_<slice>` with the dots of the node's host name turned into `_`:
 * `planetlab1_cs_unc_edu_umn_net_tools` is slice umn_net_tools on planetlab1.cs.unc.edu. A slice is what PlanetLab
 * calls an application, and the part before its first `_` is the site that owns it.
 *
 * Nothing marks where the node ends, so it is found by what names have in common: a slice may begin after any label
 * that can end a host name, does not begin with such a label, and of the candidates the one most files share is
 * taken, the longer one when equal. On the three published days this splits all 3,011 names right (by eye).
 *
 * @param names all file names of the folder
 * @returns the slice of a name; undefined where no label can end a host name
 */
export function sliceOf(names: readonly string[]): (name: string) => string | undefined {
  const all = new Map(names.map((name) => [name, candidates(name)]));
  const shared = new Map<string, number>();
  for (const slices of all.values()) {
    for (const slice of slices) shared.set(slice, (shared.get(slice) ?? 0) + 1);
  }
  return (name) => {
    let best: string | undefined;
    let most = 0;
    for (const slice of all.get(name) ?? []) {
      const count = shared.get(slice)!;
      if (count > most) {
        best = slice;
        most = count;
      }
    }
    return best;
  };
}

/** Longest first. */
function candidates(name: string): string[] {
  const labels = name.split('_').map((label) => label.trim());
  const found: string[] = [];
  for (let i = 2; i < labels.length; i++) {
    if (ENDINGS.has(labels[i - 1]!) && !ENDINGS.has(labels[i]!)) found.push(labels.slice(i).join('_'));
  }
  return found;
}

/** Top-level domains of the universities and companies that ran PlanetLab nodes. */
const ENDINGS = new Set(
  (
    'edu com net org gov mil ac ad ae ar at au az ba be bg br by ca ch cl cn co cr cy cz de dk ec ee eg es eu fi ' +
    'fr gr hk hr hu id ie il in io ir is it jo jp ke kr kw kz lt lu lv ma mx my nl no nz pe ph pk pl pr pt ro rs ' +
    'ru sa se sg si sk th tn tr tw ua uk us uy ve vn za'
  ).split(' '),
);
