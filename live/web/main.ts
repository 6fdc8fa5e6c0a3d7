import type { StatusView } from '../server/views.ts';

const x: StatusView | undefined = undefined;
document.title = String(x);
