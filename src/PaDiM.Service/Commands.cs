using System.CommandLine;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Service.Access;
using PaDiM.Service.Hosting;
using PaDiM.Service.Maintenance;

namespace PaDiM.Service;

/// <summary>What the program does in place of serving, a feature's commands a line.</summary>
internal static class Commands
{
    public const int Done = 0,
        Failure = 1,
        WrongUsage = 2;

    /// <summary>
    /// Runs the command that the arguments begin with, and gives the program's exit code; null where they are settings
    /// of the service.
    /// </summary>
    public static async Task<int?> TryRunAsync(string[] args)
    {
        var root = new RootCommand("The PaDiM inspection service; without a command it serves.");
        foreach (var command in (Command[])[KeysCommand.Create(), .. DataCommands.Create()])
            root.Add(command);
        if (args is not [var name, ..] || root.Subcommands.All(command => command.Name != name))
            return null;
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            await parsed.InvokeAsync();
            return WrongUsage;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception e)
            when (e
                    is OptionsValidationException
                        or InvalidDataException
                        or IOException
                        or UnauthorizedAccessException
                        or SqliteException
                        or DbUpdateException
            )
        {
            return await FailAsync(
                name,
                e is DbUpdateException { InnerException: { } inner } ? inner.Message : e.Message
            );
        }
    }

    /// <summary>
    /// The parts that a command works with, over a data directory. No device is opened, nothing listens or runs by
    /// itself, and nothing logs: what a command has to say stands in its answer.
    /// </summary>
    /// <param name="dataDirectory">The data directory; null for that of the settings.</param>
    /// <param name="add">Adds the parts.</param>
    /// <param name="settings">More settings, of the section.</param>
    public static WebApplication Host(
        string? dataDirectory,
        Action<IServiceCollection> add,
        params (string Name, string Value)[] settings
    )
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory }
        );
        builder.Logging.ClearProviders();
        if (dataDirectory is not null)
            builder.Configuration[$"{PadimOptions.Section}:{nameof(PadimOptions.DataDirectory)}"] = dataDirectory;
        foreach (var (name, value) in settings)
            builder.Configuration[$"{PadimOptions.Section}:{name}"] = value;
        builder.AddOptions();
        builder.Services.AddStorage();
        add(builder.Services);
        return builder.Build();
    }

    /// <summary>Tells why a command failed.</summary>
    public static async Task<int> FailAsync(string name, string sentence)
    {
        await Console.Error.WriteLineAsync($"{name}: {sentence}");
        return Failure;
    }
}
