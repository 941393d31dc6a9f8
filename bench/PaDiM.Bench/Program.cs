using System.CommandLine;
using PaDiM.Bench;

return await new RootCommand("Measures PaDiM.Service.")
{
    AccuracyCommand.Create(), CalibrationCommand.Create(), FitCommand.Create(), LatencyCommand.Create(), MemoryCommand.Create(), MetricsCommand.Create(), QuantisationCommand.Create(),
}.Parse(args).InvokeAsync();
