using System.CommandLine;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.CommandLine;
using PaDiM.Service.Data;

namespace PaDiM.Service.Maintenance;

/// <summary>
/// The command that brings the database up to this version and ends. The service does so at its start; a deployment
/// that runs this before keeps the work apart from the replicas.
/// </summary>
internal static class UpgradeCommand
{
    public static Command Create()
    {
        var command = new Command(
            "upgrade",
            "Create the database that the settings name, or bring it up to this version, and end."
        );
        command.SetAction(
            async (_, cancellationToken) =>
            {
                await using var app = CommandHost.Create(dataDirectory: null, _ => { });
                var services = app.Services;
                services.GetRequiredService<DataDirectory>().Prepare(services.GetRequiredService<IDatabaseEngine>());
                await services.GetRequiredService<MachineLease>().TakeAsync(cancellationToken);
                await services.GetRequiredService<Database>().UpgradeAsync(cancellationToken);
                await using var db = await services
                    .GetRequiredService<IDbContextFactory<PadimDbContext>>()
                    .CreateDbContextAsync(cancellationToken);
                var applied = await db.Database.GetAppliedMigrationsAsync(cancellationToken);
                await Console.Out.WriteLineAsync($"The database is up to date: {applied.Last()}.");
                return CommandHost.Done;
            }
        );
        return command;
    }
}
