// Writes the pages of docs/ that are generated: `npm run docs`.
import { writeFileSync } from 'node:fs';
import { generatedPages } from './docs.js';

for (const { path, text } of generatedPages()) writeFileSync(path, text);
