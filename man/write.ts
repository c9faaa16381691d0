// Writes dist/viaduct.1, as a part of the build.
import { readFileSync, writeFileSync } from 'node:fs';
import { EXIT_CODES } from '#src/cli/exit-codes.js';
import { buildProgram } from '#src/cli/program.js';
import { manualPage } from './page.js';

const template = readFileSync(new URL('../../man/viaduct.1.in', import.meta.url), 'utf8');
const page = manualPage(template, buildProgram(), EXIT_CODES);
writeFileSync(new URL('../../dist/viaduct.1', import.meta.url), page);
