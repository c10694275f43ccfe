<#
.SYNOPSIS
  Removes the service, its rules of the firewall and its program from this host or from many.
.DESCRIPTION
  What is under way is delivered or kept before the service ends. The agent's data (positions, buffers,
  dead letters, log) stay in %ProgramData% unless -RemoveData is given.
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
param(
  [string[]]$ComputerName = @(),
  [System.Management.Automation.PSCredential]$Credential,
  [ValidatePattern('^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$')][string]$ServiceName = 'sluice',
  [string]$Directory = "$env:ProgramFiles\Sluice",
  [string]$EventSource = 'Sluice',
  [switch]$RemoveData
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$removeHere = {
  param([hashtable]$Plan)
  Set-StrictMode -Version Latest
  $program = Join-Path $Plan.Directory 'sluice.exe'
  $ErrorActionPreference = 'Continue'
  $text = & $program service uninstall --name $Plan.ServiceName --event-source $Plan.EventSource 2>&1 |
    Out-String
  $code = $LASTEXITCODE
  $ErrorActionPreference = 'Stop'
  if ($code -ne 0) { throw $text.Trim() }
  Get-NetFirewallRule -Name "Sluice-$($Plan.ServiceName)-*" -ErrorAction SilentlyContinue |
    Remove-NetFirewallRule
  Remove-Item -Recurse -Force -LiteralPath $Plan.Directory
  if ($Plan.RemoveData) {
    Remove-Item -Recurse -Force -LiteralPath (Join-Path $env:ProgramData $Plan.ServiceName)
  }
  $text.Trim()
}

$plan = @{
  ServiceName = $ServiceName
  Directory   = $Directory
  EventSource = $EventSource
  RemoveData  = [bool]$RemoveData
}
$targets = if ($ComputerName.Count -gt 0) { $ComputerName } else { @($env:COMPUTERNAME) }
foreach ($target in $targets) {
  if (-not $PSCmdlet.ShouldProcess($target, "remove the service $ServiceName")) { continue }
  if ($ComputerName.Count -eq 0) { & $removeHere $plan; continue }
  $login = @{ ComputerName = $target }
  if ($Credential) { $login.Credential = $Credential }
  Invoke-Command @login -ScriptBlock $removeHere -ArgumentList $plan
}
