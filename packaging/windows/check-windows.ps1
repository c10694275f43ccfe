<#
.SYNOPSIS
  Checks on a real Windows what no test elsewhere can: the Event Log, WMI, performance counters and the
  kernel's counts as Windows has them.
.DESCRIPTION
  Makes an event source, reads the Application log with the agent, and compares; then asks WMI, PDH and
  the kernel, and compares with what PowerShell says of the same host. Run it elevated in the directory
  of the package, or with -Agent sluice.exe. It removes what it made.
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
$forward = $directory -replace '\\', '/'
$failed = 0

function Check([string]$What, [bool]$Holds, [string]$Detail = '') {
  if ($Holds) { Write-Host "ok      $What" }
  else { Write-Host "NOT OK  $What  $Detail"; $script:failed++ }
}

function Start-Agent([string]$Pipeline = 'pipeline.yaml', [string]$Log = 'stderr.txt') {
  $arguments = @('run', "`"$(Join-Path $directory $Pipeline)`"")
  $program = $Agent
  if ($Agent -notlike '*.exe') { $program = 'node'; $arguments = @("`"$Agent`"") + $arguments }
  Start-Process -FilePath $program -ArgumentList $arguments -PassThru -NoNewWindow `
    -RedirectStandardOutput (Join-Path $directory 'stdout.txt') `
    -RedirectStandardError (Join-Path $directory $Log)
}

# What the agent is reading right now it may also be writing: a cut last line is left out.
function Read-Lines([string]$Name) {
  $path = Join-Path $directory $Name
  if (-not (Test-Path $path)) { return @() }
  $stream = [IO.File]::Open($path, 'Open', 'Read', 'ReadWrite')
  try { $text = (New-Object IO.StreamReader($stream)).ReadToEnd() } finally { $stream.Dispose() }
  @($text -split "`n" | Where-Object { $_ -match '^\{.*\}\s*$' } | ForEach-Object { $_ | ConvertFrom-Json })
}

function Wait-Until([scriptblock]$Holds, [int]$Seconds = 60) {
  $deadline = (Get-Date).AddSeconds($Seconds)
  while (-not (& $Holds) -and (Get-Date) -lt $deadline) { Start-Sleep -Milliseconds 500 }
}

function Get-Helpers([int]$ParentId) {
  @(Get-CimInstance Win32_Process -Filter "ParentProcessId = $ParentId" |
      Where-Object { $_.CommandLine -match 'wmi_helper|pdh_helper' })
}

function Test-Metrics {
  @"
service:
  storage.path: '$forward/data-metrics'
pipeline:
  inputs:
    - name: wmi
      tag: wmi
      interval: 5s
      queries:
        - {name: system, class: Win32_OperatingSystem, properties: [Caption, Version, LastBootUpTime]}
        - {name: disks, class: Win32_LogicalDisk, properties: [DeviceID, Size], where: DriveType = 3, priority: high}
        - {name: services, class: Win32_Service, properties: [Name, State]}
        - {name: no_class, class: Sluice_NoSuchClass}
        - {name: no_property, class: Win32_OperatingSystem, properties: [SluiceNoSuchProperty]}
        - {name: no_namespace, class: Win32_OperatingSystem, namespace: 'root\sluice_nowhere'}
    - name: perfcounter
      tag: counters
      interval: 2s
      counters:
        - '\Processor(_Total)\% Processor Time'
        - '\System\System Up Time'
        - '\Process(*)\Thread Count'
        - '\Process(svc*)\Working Set'
        - '\System\Sluice No Such Counter'
    - name: host_metrics
      tag: host
      interval: 2s
  outputs:
    - {name: file, match: wmi, path: '$forward', file: wmi.ndjson}
    - {name: file, match: counters, path: '$forward', file: counters.ndjson}
    - {name: file, match: host, path: '$forward', file: host.ndjson}
"@ | Set-Content -Encoding ASCII (Join-Path $directory 'metrics.yaml')

  $script:process = Start-Agent 'metrics.yaml' 'metrics.txt'
  $cpu = 'windows_processor_percent_processor_time'
  Wait-Until { @(Read-Lines 'counters.ndjson' | Where-Object name -eq $cpu).Count -ge 2 }
  Wait-Until { @(Read-Lines 'wmi.ndjson' | Where-Object query -eq 'services').Count -gt 0 }
  $rows = @(Read-Lines 'wmi.ndjson')
  $counters = @(Read-Lines 'counters.ndjson')
  $metrics = @(Read-Lines 'host.ndjson')
  Check-Wmi $rows
  Check-Counters $counters
  Check-Host $metrics
  Check-Refusals

  $helpers = @(Get-Helpers $script:process.Id)
  Check 'WMI and counters are asked in processes of their own' ($helpers.Count -eq 2) "$($helpers.Count)"
  foreach ($one in $helpers) { Stop-Process -Id $one.ProcessId -Force -ErrorAction SilentlyContinue }
  $before = @(Read-Lines 'wmi.ndjson').Count
  Wait-Until { @(Read-Lines 'wmi.ndjson').Count -gt $before }
  Check 'a helper process that was ended is started again' (@(Read-Lines 'wmi.ndjson').Count -gt $before)
  $helpers = @(Get-Helpers $script:process.Id)
  Stop-Process -Id $script:process.Id -Force
  $script:process.WaitForExit()
  Wait-Until { @($helpers | Where-Object { Get-Process -Id $_.ProcessId -ErrorAction SilentlyContinue }).Count -eq 0 } 15
  $left = @($helpers | Where-Object { Get-Process -Id $_.ProcessId -ErrorAction SilentlyContinue })
  Check 'helper processes end with their agent' ($left.Count -eq 0) "$($left.Count) are left"
}

function Check-Wmi($Rows) {
  $system = @($Rows | Where-Object query -eq 'system')
  $own = Get-CimInstance Win32_OperatingSystem
  Check 'WMI: the system is what Get-CimInstance says' `
    ($system.Count -gt 0 -and $system[0].properties.Version -eq $own.Version)
  Check 'WMI: a time is the same moment' `
    ($system.Count -gt 0 -and [Math]::Abs(([DateTimeOffset]$system[0].properties.LastBootUpTime - [DateTimeOffset]$own.LastBootUpTime).TotalSeconds) -lt 5)
  $disks = @($Rows | Where-Object query -eq 'disks' | ForEach-Object { "$($_.properties.DeviceID) $($_.properties.Size)" } | Sort-Object -Unique)
  $expected = @(Get-CimInstance Win32_LogicalDisk -Filter 'DriveType = 3' | ForEach-Object { "$($_.DeviceID) $($_.Size)" } | Sort-Object)
  Check 'WMI: disks and their sizes' (($disks -join ';') -eq ($expected -join ';')) "$disks"
  $names = @($Rows | Where-Object query -eq 'services' | ForEach-Object { $_.properties.Name } | Sort-Object -Unique)
  Check 'WMI: as many services as Get-Service has, within 3' `
    ([Math]::Abs($names.Count - @(Get-Service).Count) -le 3) "$($names.Count)"
}

function Check-Counters($Counters) {
  $cpu = @($Counters | Where-Object name -eq 'windows_processor_percent_processor_time')
  $wrong = @($cpu | Where-Object { $_.value -lt 0 -or $_.value -gt 100 })
  Check 'counters: processor time is between 0 and 100 %' ($cpu.Count -gt 0 -and $wrong.Count -eq 0)
  $up = @($Counters | Where-Object name -eq 'windows_system_system_up_time')
  $own = ((Get-Date) - (Get-CimInstance Win32_OperatingSystem).LastBootUpTime).TotalSeconds
  Check 'counters: the up time is that of WMI, within two minutes' `
    ($up.Count -gt 0 -and [Math]::Abs($up[-1].value - $own) -lt 120)
  $threads = @($Counters | Where-Object { $_.name -eq 'windows_process_thread_count' -and $_.labels.instance -match '^svchost(#\d+)?$' } |
      ForEach-Object { $_.labels.instance } | Sort-Object -Unique)
  $hosts = @(Get-Process -Name svchost).Count
  Check 'counters: instances of one name are told apart' ([Math]::Abs($threads.Count - $hosts) -le 3) "$($threads.Count) of $hosts"
  $some = @($Counters | Where-Object name -eq 'windows_process_working_set' | ForEach-Object { $_.labels.instance } | Sort-Object -Unique)
  $others = @($some | Where-Object { $_ -notmatch '^svc' })
  Check 'counters: a part of a name with * chooses instances' ($some.Count -gt 0 -and $others.Count -eq 0) "$some"
}

function Check-Host($Metrics) {
  $total = @($Metrics | Where-Object name -eq 'windows_memory_physical_total_bytes')
  $own = (Get-CimInstance Win32_ComputerSystem).TotalPhysicalMemory
  Check 'host: physical memory is that of WMI' `
    ($total.Count -gt 0 -and [Math]::Abs($total[-1].value - $own) -lt $own / 100)
  $cores = @($Metrics | Where-Object name -eq 'windows_cpu_time_total' | ForEach-Object { $_.labels.core } | Sort-Object -Unique)
  Check 'host: as many processors as Windows has' ($cores.Count -eq [Environment]::ProcessorCount) "$($cores.Count)"
}

# Each is said with its code and with what to do, and costs nothing else.
function Check-Refusals {
  $stream = [IO.File]::Open((Join-Path $directory 'metrics.txt'), 'Open', 'Read', 'ReadWrite')
  try { $log = (New-Object IO.StreamReader($stream)).ReadToEnd() } finally { $stream.Dispose() }
  Check 'WMI: a class that is not there (0x80041010)' ($log -match '0x80041010')
  Check 'WMI: a property that is not there (0x80041017)' ($log -match '0x80041017')
  Check 'WMI: a namespace that is not there (0x8004100e)' ($log -match '0x8004100e')
  Check 'counters: one that is not there (0xc0000bb9)' ($log -match '0xc0000bb9')
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
  Stop-Process -Id $process.Id -Force
  $process.WaitForExit()

  Test-Metrics
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
