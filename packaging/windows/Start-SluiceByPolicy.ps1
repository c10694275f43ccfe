<#
.SYNOPSIS
  A computer start-up script for a group policy: installs the agent, or updates it when the share's differs.
.DESCRIPTION
  Runs as SYSTEM at every start. Where the executable and the pipeline files on the share are those that
  are installed, it does nothing. The hash stands in the policy, not on the share: whoever may write the
  share alone cannot have every host run another program.
#>
[CmdletBinding()]
param(
  # A share that domain computers may read, and few may write: \\fileserver\deploy\sluice.
  [Parameter(Mandatory)][string]$Share,
  [Parameter(Mandatory)][ValidatePattern('^[0-9A-Fa-f]{64}$')][string]$Sha256,
  [string]$ServiceName = 'sluice',
  [string]$Directory = "$env:ProgramFiles\Sluice"
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Get-Print([string]$Path) {
  if (Test-Path -LiteralPath $Path) { (Get-FileHash -Algorithm SHA256 -LiteralPath $Path).Hash }
}

$log = Join-Path $env:ProgramData 'sluice-policy.log'
try {
  $pipeline = @(Get-ChildItem -LiteralPath $Share -Filter '*.yaml' | Sort-Object Name)
  $isSame = (Get-Print (Join-Path $Directory 'sluice.exe')) -eq $Sha256
  foreach ($file in $pipeline) {
    $isSame = $isSame -and
      (Get-Print $file.FullName) -eq (Get-Print (Join-Path $Directory $file.Name))
  }
  if ($isSame -and (Get-Service -Name $ServiceName -ErrorAction SilentlyContinue)) { return }
  $tables = @(Get-ChildItem -LiteralPath $Share -Filter '*.csv' | ForEach-Object { $_.FullName })
  $arguments = @{
    Executable  = Join-Path $Share 'sluice.exe'
    Pipeline    = @($pipeline | ForEach-Object { $_.FullName })
    Files       = $tables
    Sha256      = $Sha256
    ServiceName = $ServiceName
    Directory   = $Directory
  }
  & (Join-Path $PSScriptRoot 'Install-Sluice.ps1') @arguments | Out-String | Add-Content $log
} catch {
  Add-Content $log "$(Get-Date -Format o) $_"
  exit 1
}
