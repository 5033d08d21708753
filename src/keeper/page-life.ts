import type { PageLife, PageState } from '../tasks/task-world.ts'

/** What phones say of themselves, whatever else they say (MDN: Browser detection using the user agent). */
export const isPhone = ({ userAgent }: { readonly userAgent: string }): boolean => /\bMobi/.test(userAgent)

/** Tells now, and whenever it changes, whether the page is hidden. */
export function watchVisibility(tell: (hidden: boolean) => void, signal: AbortSignal): void {
  const look = (): void => tell(document.visibilityState === 'hidden')
  document.addEventListener('visibilitychange', look, { signal })
  look()
}

/**
 * The page's life: `hidden` by visibilitychange; `frozen` from freeze or pagehide (it may never come back) until resume or
 * pageshow. Page Lifecycle, HTML 7.4.
 */
export function pageLife(): PageLife {
  let frozen = false
  const heard = new EventTarget()
  const become = (state: boolean) => () => {
    frozen = state
    heard.dispatchEvent(new Event('change'))
  }
  document.addEventListener('visibilitychange', () => heard.dispatchEvent(new Event('change')))
  document.addEventListener('freeze', become(true))
  document.addEventListener('resume', become(false))
  addEventListener('pagehide', become(true))
  addEventListener('pageshow', become(false))
  return {
    get state(): PageState {
      return frozen ? 'frozen' : document.visibilityState === 'hidden' ? 'hidden' : 'visible'
    },
    onChange: (listener, { signal }) => heard.addEventListener('change', listener, { signal }),
  }
}
