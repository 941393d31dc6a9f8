using System.CommandLine;
using PaDiM.Bench;
using PaDiM.Bench.Speed;

return await new RootCommand("Measures PaDiM.Service.")
{
    AccuracyCommand.Create(), CalibrationCommand.Create(), FitCommand.Create(), SpeedCommand.Create(), MemoryCommand.Create(), MetricsCommand.Create(), QuantisationCommand.Create(),
}.Parse(args).InvokeAsync();
