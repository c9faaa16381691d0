import { systemReason } from '../../errors.js';

/** Whether a browser that is started here would be seen. */
export function hasDisplay(
  platform: NodeJS.Platform = process.platform,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  if (platform === 'darwin' || platform === 'win32') return env['SSH_CONNECTION'] === undefined;
  return ['DISPLAY', 'WAYLAND_DISPLAY', 'WSL_DISTRO_NAME'].some((name) => (env[name] ?? '') !== '');
}

/** Opens a URL in the browser of the user. @returns why that failed, as far as it is known; undefined if it did not */
export async function openBrowser(url: string): Promise<string | undefined> {
  try {
    const { default: open } = await import('open');
    await open(url);
    return undefined;
  } catch (error) {
    return systemReason(error);
  }
}
