<#
.SYNOPSIS
  Installs or updates the agent as a service, on this host or on many.
.DESCRIPTION
  On each host: checks the hash of the executable, copies it and the pipeline files, has the agent
  check them, installs the service under an account of its own, gives that account what it needs to
  read, starts it, and looks whether it runs. A host that has it already gets the new files and a
  restart; one whose files are wrong keeps the agent that runs there.

  Needs PowerShell 5.1, an elevated prompt, and for other hosts PowerShell remoting (WinRM) and an
  administrator there. The report says of each host what became of it.
.EXAMPLE
  .\Install-Sluice.ps1 -Executable .\sluice.exe -Pipeline .\pipeline.yaml
.EXAMPLE
  .\Install-Sluice.ps1 -Executable .\sluice.exe -Pipeline .\live.yaml, .\events.yaml `
    -HostFile .\hosts.txt -Credential (Get-Credential) -Sha256 $hash -Report .\report.json
#>
[CmdletBinding(SupportsShouldProcess)]
param(
  [Parameter(Mandatory)][string]$Executable,
  # Pipeline files, in the order in which the agent reads them. Files they name go with -Files.
  [Parameter(Mandatory)][string[]]$Pipeline,
  [string[]]$Files = @(),
  [string[]]$ComputerName = @(),
  # One host a line; empty lines and lines that begin with # are left out.
  [string]$HostFile,
  [System.Management.Automation.PSCredential]$Credential,
  # What the executable must hash to; taken from a place that the share's owner cannot change.
  [ValidatePattern('^[0-9A-Fa-f]{64}$')][string]$Sha256,
  [ValidatePattern('^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$')][string]$ServiceName = 'sluice',
  [string]$Directory = "$env:ProgramFiles\Sluice",
  # Variables that the pipeline files ask for, such as @{ ELASTICSEARCH_HOST = 'search.example.com' }.
  [hashtable]$Variables = @{},
  # Well-known groups: Event Log Readers, Performance Monitor Users. Their names differ by language.
  [string[]]$GroupSid = @('S-1-5-32-573', 'S-1-5-32-558'),
  [string]$EventSource = 'Sluice',
  # Ports on which inputs of the pipeline listen: each gets a rule for this service alone.
  [ValidateRange(1, 65535)][int[]]$ListenPort = @(),
  [string[]]$ListenFrom = @('LocalSubnet'),
  [string]$Report
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# Runs on the host itself, with the files in a directory of their own.
$installHere = {
  param([hashtable]$Plan)
  Set-StrictMode -Version Latest
  $ErrorActionPreference = 'Stop'
  $staged = Join-Path $Plan.Staging 'sluice.exe'
  $target = Join-Path $Plan.Directory 'sluice.exe'
  $account = "NT SERVICE\$($Plan.ServiceName)"

  function Invoke-Sluice([string]$Program, [string[]]$Words) {
    # Windows PowerShell makes errors of what a program writes to its standard error.
    $ErrorActionPreference = 'Continue'
    $text = & $Program @Words 2>&1 | Out-String
    @{ Code = $LASTEXITCODE; Text = $text.Trim() }
  }

  if ($Plan.Sha256 -and (Get-FileHash -Algorithm SHA256 $staged).Hash -ne $Plan.Sha256) {
    throw 'The executable is not the one that was meant: its SHA-256 differs.'
  }
  foreach ($name in $Plan.Variables.Keys) {
    Set-Item -Path "env:$name" -Value $Plan.Variables[$name]
  }
  $stagedPipeline = @($Plan.Pipeline | ForEach-Object { Join-Path $Plan.Staging $_ })
  $checked = Invoke-Sluice $staged (@('check') + $stagedPipeline)
  if ($checked.Code -ne 0) { throw "The pipeline files are wrong: $($checked.Text)" }

  $service = Get-Service -Name $Plan.ServiceName -ErrorAction SilentlyContinue
  if ($service) {
    $stopped = Invoke-Sluice $staged @('service', 'stop', '--name', $Plan.ServiceName)
    if ($stopped.Code -ne 0) { throw $stopped.Text }
  }
  $files = @($Plan.Pipeline | ForEach-Object { Join-Path $Plan.Directory $_ })
  $words = @('service', 'install', '--name', $Plan.ServiceName, '--event-source', $Plan.EventSource)
  # The service reads the files that are named now, not those of the last time.
  if ($service) { $words += '--update' } else { $words += @('--start-type', 'delayed') }
  try {
    New-Item -ItemType Directory -Force -Path $Plan.Directory | Out-Null
    Copy-Item -Force -Path (Join-Path $Plan.Staging '*') -Destination $Plan.Directory
    $installed = Invoke-Sluice $target ($words + $files)
    if ($installed.Code -ne 0) { throw $installed.Text }
  } catch {
    # An agent that cannot be updated is not left stopped.
    if ($service) { [void](Invoke-Sluice $target @('service', 'start', '--name', $Plan.ServiceName)) }
    throw
  }
  # The service's own environment: nobody else on the host sees it in theirs.
  $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$($Plan.ServiceName)"
  $pairs = @($Plan.Variables.Keys | ForEach-Object { "$_=$($Plan.Variables[$_])" })
  if ($pairs.Count -gt 0) {
    New-ItemProperty -Force -Path $key -Name Environment -PropertyType MultiString -Value $pairs | Out-Null
  }
  foreach ($sid in $Plan.GroupSid) {
    try { Add-LocalGroupMember -SID $sid -Member $account }
    catch [Microsoft.PowerShell.Commands.MemberExistsException] { }
  }
  foreach ($port in $Plan.ListenPort) {
    $rule = "Sluice-$($Plan.ServiceName)-$port"
    Remove-NetFirewallRule -Name $rule -ErrorAction SilentlyContinue
    New-NetFirewallRule -Name $rule -DisplayName "Sluice ($($Plan.ServiceName)), port $port" `
      -Direction Inbound -Action Allow -Protocol TCP -LocalPort $port -Program $target `
      -Service $Plan.ServiceName -RemoteAddress $Plan.ListenFrom -Profile Domain, Private | Out-Null
  }
  $started = Invoke-Sluice $target @('service', 'start', '--name', $Plan.ServiceName)
  if ($started.Code -ne 0) { throw $started.Text }
  $status = Invoke-Sluice $target @('service', 'status', '--name', $Plan.ServiceName)
  $version = Invoke-Sluice $target @('version')
  @{ Status = $status.Text; Version = $version.Text; Updated = [bool]$service }
}

$targets = @($ComputerName)
if ($HostFile) {
  $targets += @(Get-Content $HostFile | ForEach-Object { $_.Trim() } |
    Where-Object { $_ -and -not $_.StartsWith('#') })
}
$isLocal = $targets.Count -eq 0
if ($isLocal) { $targets = @($env:COMPUTERNAME) }
$sources = @($Executable) + $Pipeline + $Files
foreach ($path in $sources) {
  if (-not (Test-Path -LiteralPath $path -PathType Leaf)) { throw "There is no file $path." }
}
$plan = @{
  ServiceName = $ServiceName
  Directory   = $Directory
  Sha256      = $Sha256
  Pipeline    = @($Pipeline | ForEach-Object { Split-Path -Leaf $_ })
  Variables   = $Variables
  GroupSid    = $GroupSid
  EventSource = $EventSource
  ListenPort  = $ListenPort
  ListenFrom  = $ListenFrom
}

$results = foreach ($target in ($targets | Sort-Object -Unique)) {
  $result = [ordered]@{ Host = $target; Ok = $false; Version = ''; Detail = '' }
  $session = $null
  if (-not $PSCmdlet.ShouldProcess($target, "install or update the service $ServiceName")) { continue }
  $staging = "C:\Windows\Temp\sluice-$([guid]::NewGuid())"
  try {
    $plan.Staging = $staging
    if ($isLocal) {
      New-Item -ItemType Directory -Path $staging | Out-Null
      foreach ($path in $sources) {
        $leaf = if ($path -eq $Executable) { 'sluice.exe' } else { Split-Path -Leaf $path }
        Copy-Item -LiteralPath $path -Destination (Join-Path $staging $leaf)
      }
      $answer = & $installHere $plan
    } else {
      $login = @{ ComputerName = $target }
      if ($Credential) { $login.Credential = $Credential }
      $session = New-PSSession @login
      Invoke-Command -Session $session -ScriptBlock {
        param($Path) New-Item -ItemType Directory -Path $Path | Out-Null
      } -ArgumentList $staging
      foreach ($path in $sources) {
        $leaf = if ($path -eq $Executable) { 'sluice.exe' } else { Split-Path -Leaf $path }
        Copy-Item -LiteralPath $path -Destination (Join-Path $staging $leaf) -ToSession $session
      }
      $answer = Invoke-Command -Session $session -ScriptBlock $installHere -ArgumentList $plan
    }
    $result.Ok = $true
    $result.Version = $answer.Version
    $result.Detail = $answer.Status
  } catch {
    $result.Detail = "$_"
  } finally {
    $clean = { param($Path) Remove-Item -Recurse -Force $Path -ErrorAction SilentlyContinue }
    if ($session) {
      Invoke-Command -Session $session -ScriptBlock $clean -ArgumentList $staging
      Remove-PSSession $session
    } elseif ($isLocal) { & $clean $staging }
  }
  [pscustomobject]$result
}

$results
if ($Report) { ConvertTo-Json -InputObject @($results) | Set-Content -Encoding UTF8 $Report }
if (@($results | Where-Object { -not $_.Ok }).Count -gt 0) { exit 1 }
