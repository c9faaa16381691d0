import { replaceBytes } from '../../../route/name.js';
import { lastLine, nameMembers } from '../../../wire/http/listing.js';
import type { Content } from './rows.js';

/** `{"path": "/dir/", "entries": [{"name", "type", "size", "modified"}]}`; a folder has no size. */
export async function* jsonListing(name: string, { choice, rows, omitted }: Content): AsyncGenerator<string> {
  yield `{"path":${JSON.stringify(replaceBytes(`/${name}`, () => '\ufffd'))},"entries":[`;
  let separator = '\n';
  for await (const batch of rows) {
    let text = '';
    for (const { name: entry, isFolder, size, modified } of batch) {
      const type = isFolder ? 'folder' : 'file';
      text +=
        separator +
        JSON.stringify({ ...nameMembers(entry), type, size: isFolder ? undefined : size, modified });
      separator = ',\n';
    }
    yield text;
  }
  const page = choice && {
    page: choice.query.page,
    pages: choice.pages,
    total: choice.folders + choice.files,
  };
  yield `\n${lastLine(omitted(), page)}\n`;
}
