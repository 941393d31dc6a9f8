using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Memory;

namespace PaDiM.Service.CommandLine;

/// <summary>What the program's commands share: exit codes, and a host without a server.</summary>
internal static class CommandHost
{
    public const int Done = 0,
        Failure = 1,
        WrongUsage = 2;

    /// <summary>
    /// Creates a host with the services that a command needs, over a data directory. It opens no device, listens on no
    /// address, runs nothing in the background and writes no log: a command prints its result.
    /// </summary>
    /// <param name="dataDirectory">The data directory; null for the one of the settings.</param>
    /// <param name="add">Adds the command's services.</param>
    /// <param name="settings">More settings of the section.</param>
    public static WebApplication Create(
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
            builder.Configuration[$"{PadimSection.Name}:{nameof(DataOptions.DataDirectory)}"] = dataDirectory;
        foreach (var (name, value) in settings)
            builder.Configuration[$"{PadimSection.Name}:{name}"] = value;
        builder.Services.AddMemory().AddData();
        add(builder.Services);
        return builder.Build();
    }

    /// <summary>Prints why a command failed, and returns the exit code for it.</summary>
    public static async Task<int> FailAsync(string name, string sentence)
    {
        await Console.Error.WriteLineAsync($"{name}: {sentence}");
        return Failure;
    }
}
