using System.CommandLine;
using PaDiM.Bench;
using PaDiM.Bench.Growth;
using PaDiM.Bench.Images;
using PaDiM.Bench.Kernels;
using PaDiM.Bench.Load;
using PaDiM.Bench.Speed;

return await new RootCommand("Measures PaDiM.Service.")
{
    AllCommand.Create(),
    SpeedCommand.Create(),
    LoadCommand.Create(),
    BesideFitCommand.Create(),
    SlopeCommand.Create(),
    GrowthCommand.Create(),
    NetworksCommand.Create(),
    LoadTimeCommand.Create(),
    DeviceCommand.Create(),
    KernelCommand.Create(),
    ImagesCommand.Create(),
    FitCommand.Create(),
    MemoryCommand.Create(),
    MetricsCommand.Create(),
    QuantisationCommand.Create(),
    AccuracyCommand.Create(),
    CalibrationCommand.Create(),
    TelemetryCommand.Create(),
    LedgerCommand.Create(),
    PicturesCommand.Create(),
    TilesCommand.Create(),
}
    .Parse(args)
    .InvokeAsync();
