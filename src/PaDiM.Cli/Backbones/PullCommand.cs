using System.CommandLine;
using System.CommandLine.Completions;
using PaDiM.Backbones.Acquisition;
using PaDiM.Engine.Catalogue;

namespace PaDiM.Cli.Backbones;

/// <summary>
/// <c>padim backbones pull NAME</c>: installs a network from the catalogue, or from another place, in the first
/// backbone folder.
/// </summary>
internal sealed class PullCommand
{
    private const string MirrorVariable = "PADIM_BACKBONE_MIRROR",
        OfflineVariable = "PADIM_BACKBONE_OFFLINE";

    private readonly Argument<string> _name = new("name")
    {
        Description = "Name in the catalogue (see padim backbones list), or any name with --from.",
    };
    private readonly Option<string?> _from = new("--from")
    {
        Description = "URL, file or folder to use instead of the catalogue's origin.",
        HelpName = "place",
    };
    private readonly Option<string?> _mirror = new("--mirror")
    {
        Description = $"Base URL to use instead of the origin's host (default: {MirrorVariable}).",
        HelpName = "address",
    };
    private readonly Option<string?> _proxy = new("--proxy")
    {
        Description = "Proxy (default: from HTTPS_PROXY and NO_PROXY).",
        HelpName = "address",
    };
    private readonly Option<string?> _offline = new("--offline")
    {
        Description = $"Download nothing; take files from this folder (default: {OfflineVariable}).",
        HelpName = "folder",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<bool> _force = new("--force")
    {
        Description =
            "Replace a backbone that has other bytes, and accept a file whose hash is not the recorded one. "
            + "Models fitted with it no longer score.",
    };
    private readonly BackboneOptions _backbones = new();

    private PullCommand()
    {
        _name.CompletionSources.Add(_ =>
            BackboneCatalogue.Known.Entries.Select(entry => new CompletionItem(entry.Name))
        );
        _mirror.Require(
            text => text is null || IsHttpAddress(text),
            "--mirror must be a URL that starts with https:// or http://."
        );
        _proxy.Require(
            text => text is null || IsHttpAddress(text),
            "--proxy must be a URL that starts with http:// or https://."
        );
    }

    public static Command Create()
    {
        var pull = new PullCommand();
        var command = new Command("pull", "Install a backbone by name: download, check and convert it.")
        {
            pull._name,
            pull._from,
            pull._mirror,
            pull._proxy,
            pull._offline,
            pull._force,
        };
        pull._backbones.AddFoldersTo(command);
        command.Validators.Add(pull._backbones.RequireFolder);
        command.SetAction(pull.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        var request = ToRequest(arguments);
        using var http = FileDownload.CreateClient(arguments.GetValue(_proxy) is { } address ? new Uri(address) : null);
        var pull = new BackbonePull(
            BackboneCatalogue.Known,
            _backbones.CreateInstaller(arguments),
            new FileDownload(http, TimeProvider.System)
        );
        var rate = new DownloadRate(TimeProvider.System);
        var done = await ProgressBar.RunAsync(
            $"Pulling {request.Name}",
            show =>
                pull.RunAsync(
                    request,
                    state =>
                        show(
                            state.Total is > 0 and var total ? (double)state.Bytes / total : 0,
                            FormatProgress(state, rate.Update(state.Bytes))
                        ),
                    stop
                ),
            stop
        );
        InstallationSummary.Print(done);
        return ExitCode.Done;
    }

    private PullRequest ToRequest(ParseResult arguments)
    {
        var site = arguments.GetValue(_mirror) ?? GetVariable(MirrorVariable);
        if (site is not null && !IsHttpAddress(site))
            throw new InvalidDataException($"{MirrorVariable} must be a URL that starts with https:// or http://.");
        return new PullRequest(arguments.GetValue(_name)!)
        {
            From = arguments.GetValue(_from),
            Mirror = site is null ? null : new Uri(site),
            Folder = arguments.GetValue(_offline) ?? GetVariable(OfflineVariable),
            Offline = arguments.GetResult(_offline) is not null,
            Force = arguments.GetValue(_force),
        };
    }

    private static string FormatProgress(DownloadProgress state, double rate)
    {
        const double megabyte = 1e6;
        var all = state.Total is { } total ? FormattableString.Invariant($" of {total / megabyte:f1}") : "";
        return FormattableString.Invariant($"{state.Bytes / megabyte:f1}{all} MB, {rate / megabyte:f1} MB/s");
    }

    private static bool IsHttpAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp);

    private static string? GetVariable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
