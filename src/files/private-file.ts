import { randomBytes } from 'node:crypto';
import { open, rm } from './fs.js';
import { PRIVATE_MODE } from './ownership.js';
import { type PublishOptions, publish } from './target.js';
import { withWriteErrors } from './write-error.js';

/**
 * Writes a file that only this user may read, in one step: whatever happens, under its name is the old file or the whole
 * new one.
 * @throws ViaductError WRITE_FAILED
 */
export async function writePrivateFile(
  path: string,
  text: string,
  options: Pick<PublishOptions, 'keepExisting'> = {},
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  await withWriteErrors(path, async () => {
    const file = await open(temporary, 'wx', PRIVATE_MODE);
    try {
      await file.writeFile(text);
      const target = { path, finalPath: path, isDevice: false, exists: false, mode: PRIVATE_MODE };
      await publish(file, temporary, target, options);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
  });
}
