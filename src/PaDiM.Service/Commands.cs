using System.CommandLine;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using PaDiM.Service.Access;
using PaDiM.Service.CommandLine;
using PaDiM.Service.Http;
using PaDiM.Service.Maintenance;
using PaDiM.Service.Objects;

namespace PaDiM.Service;

/// <summary>The commands that the program runs instead of serving.</summary>
internal static class Commands
{
    /// <summary>
    /// Runs the command that the arguments begin with, and returns the exit code; null when they are settings of the
    /// service.
    /// </summary>
    public static async Task<int?> TryRunAsync(string[] args)
    {
        if (args is not [var name, ..] || name.StartsWith('-'))
            return null;
        var root = new RootCommand("The PaDiM inspection service. Without a command, it serves.");
        foreach (var command in (Command[])[KeysCommand.Create(), .. DataCommands.Create(), UpgradeCommand.Create()])
            root.Add(command);
        if (root.Subcommands.All(command => command.Name != name))
            return null;
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            await parsed.InvokeAsync();
            return CommandHost.WrongUsage;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception e)
            when (e
                    is OptionsValidationException
                        or InvalidDataException
                        or InvalidOperationException
                        or IOException
                        or UnauthorizedAccessException
                        or DbException
                        or DbUpdateException
                        or ObjectStoreAwayException
            )
        {
            return await CommandHost.FailAsync(name, DatabaseFaults.GetReason(e));
        }
    }
}
