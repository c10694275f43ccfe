<#
.SYNOPSIS
  Checks on a real Windows what no test elsewhere can: the Event Log as Windows has it.
.DESCRIPTION
  Makes an event source, reads the Application log with the agent, and compares. Run it elevated in the
  directory of the package. It removes what it made.
#>
[CmdletBinding()]
param(
  [string]$Agent = (Join-Path $PSScriptRoot '..\..\dist\bundle\sluice.js'),
  [int]$Events = 200
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$source = "SluiceCheck$PID"
$directory = Join-Path ([IO.Path]::GetTempPath()) $source
$output = Join-Path $directory 'events.json'
$failed = 0

function Check([string]$What, [bool]$Holds, [string]$Detail = '') {
  if ($Holds) { Write-Host "ok      $What" }
  else { Write-Host "NOT OK  $What  $Detail"; $script:failed++ }
}

function Start-Agent {
  $arguments = @("`"$Agent`"", 'run', "`"$(Join-Path $directory 'pipeline.yaml')`"")
  Start-Process -FilePath 'node' -ArgumentList $arguments -PassThru -NoNewWindow `
    -RedirectStandardOutput (Join-Path $directory 'stdout.txt') `
    -RedirectStandardError (Join-Path $directory 'stderr.txt')
}

function Write-Events([int]$From, [int]$Count) {
  for ($i = $From; $i -lt $From + $Count; $i++) {
    Write-EventLog -LogName Application -Source $source -EventId 1000 -EntryType Warning `
      -Message "event $i of the check, with umlauts: $([char]0xe4)$([char]0xf6)"
  }
}

function Read-Records {
  if (-not (Test-Path $output)) { return @() }
  $lines = [IO.File]::ReadAllLines($output)
  @($lines | Where-Object { $_ -match $source } | ForEach-Object { $_ | ConvertFrom-Json })
}

function Wait-Records([int]$Count) {
  $deadline = (Get-Date).AddSeconds(30)
  do {
    $records = @(Read-Records)
    if ($records.Count -ge $Count) { break }
    Start-Sleep -Milliseconds 500
  } while ((Get-Date) -lt $deadline)
  return , $records
}

try {
  New-Item -ItemType Directory -Path $directory | Out-Null
  New-EventLog -LogName Application -Source $source
  $forward = $directory -replace '\\', '/'
  @"
service:
  storage.path: '$forward/data'
pipeline:
  inputs:
    - name: winevtlog
      tag: windows
      channels: [Application, Sluice-Missing/Operational]
      event_query: "*[System[Provider[@Name='$source']]]"
      ignore_missing_channels: true
      read_existing_events: true
  outputs:
    - name: file
      match: windows
      path: '$forward'
      file: events.json
"@ | Set-Content -Encoding ASCII (Join-Path $directory 'pipeline.yaml')

  Write-Events 1 $Events
  $process = Start-Agent
  $records = Wait-Records $Events
  Check 'events that were there are read' ($records.Count -eq $Events) "$($records.Count) of $Events"

  Write-Events ($Events + 1) 10
  $records = Wait-Records ($Events + 10)
  Check 'live events are read' ($records.Count -eq $Events + 10) "$($records.Count)"
  $last = $records[-1]
  Check 'the message is the one of Windows' ($last.Message -match "event $($Events + 10) of the check") "$($last.Message)"
  Check 'message_source says publisher' ($last.message_source -eq 'publisher') "$($last.message_source)"
  Check 'the level has its name' ([string]$last.LevelName -ne '')

  # Time for the checkpoint, which is written about once a second.
  Start-Sleep -Seconds 4
  Stop-Process -Id $process.Id -Force
  $process.WaitForExit()
  Write-Events ($Events + 11) 10
  $process = Start-Agent
  $records = Wait-Records ($Events + 20)
  $ids = @($records | ForEach-Object { $_.EventRecordID })
  $unique = @($ids | Sort-Object -Unique)
  Check 'nothing is lost over a hard stop' ($unique.Count -eq $Events + 20) "$($unique.Count)"
  Check 'nothing is read twice over a stop at rest' ($ids.Count -eq $unique.Count) "$($ids.Count - $unique.Count) twice"

  $expected = @(Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = $source } |
      ForEach-Object { $_.RecordId } | Sort-Object)
  $difference = @(Compare-Object $expected @($unique | Sort-Object))
  Check 'the record ids are those of Get-WinEvent' ($difference.Count -eq 0) "$($difference.Count) differ"

  $before = (Get-Process -Id $process.Id).HandleCount
  Write-Events ($Events + 21) 200
  [void](Wait-Records ($Events + 220))
  Start-Sleep -Seconds 2
  $after = (Get-Process -Id $process.Id).HandleCount
  Check 'handles do not grow with events' ($after - $before -lt 50) "$before, then $after"
}
finally {
  if (Get-Variable process -ErrorAction SilentlyContinue) {
    Stop-Process -Id $process.Id -Force -ErrorAction SilentlyContinue
  }
  Remove-EventLog -Source $source -ErrorAction SilentlyContinue
  if ($failed -eq 0) { Remove-Item -Recurse -Force $directory -ErrorAction SilentlyContinue }
  else { Write-Host "What the agent wrote is in $directory." }
}
if ($failed -gt 0) { exit 1 }
