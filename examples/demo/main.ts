import { runDemo } from './demo.js'
import { help, readCommand } from './options.js'
import type { Report } from './report.js'
import { startStage } from './stage.js'
import { textReport } from './text-report.js'
import { visitServer } from './visit.js'

const write = (text: string): void => void process.stdout.write(text)

// Whoever read the lines has gone (`| head`): nobody is left to play for.
process.stdout.on('error', () => process.exit(1))

/** Lines for whoever reads them. */
function reportTo(json: boolean): Report {
  const colour = process.stdout.isTTY === true && !process.env.NO_COLOR
  return json ? (line) => write(`${JSON.stringify(line)}\n`) : textReport(write, colour)
}

const command = readCommand(process.argv.slice(2))
switch (command.kind) {
  case 'help':
    write(help)
    break
  case 'not_understood':
    process.stderr.write(`demo: ${command.complaint}\n\n${help}`)
    process.exitCode = 2
    break
  case 'run': {
    await using stage = await startStage()
    process.exitCode = (await runDemo(command.options, stage, reportTo(command.options.json))) ? 0 : 1
    break
  }
  case 'visit':
    process.exitCode = (await visitServer(command.options, reportTo(command.options.json))) ? 0 : 1
}
