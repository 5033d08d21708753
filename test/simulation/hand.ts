// A process that plays portions of seeds for the crew, one after another, as long as its parent is there.
import { type Portion, playPortion } from './portion.ts'

process.on('message', (portion: Portion) => {
  void playPortion(portion).then((tally) => process.send?.(tally))
})
process.on('disconnect', () => process.exit(0))
