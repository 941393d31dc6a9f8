using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using PaDiM.Service.CommandLine;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// <c>PaDiM.Service keys</c>, which <c>padim keys</c> runs: manages keys directly in the database, to create the first
/// key or to replace a lost last one. Write access to the database is the permission.
/// </summary>
internal static class KeysCommand
{
    private const string Name = "keys";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    public static Command Create()
    {
        var data = new Option<string?>("--data")
        {
            Description = "Data directory of the service. Default: Padim__DataDirectory, or else data.",
            Recursive = true,
        };
        return new Command(Name, "Create, list and revoke the keys of the service.")
        {
            data,
            CreateCreate(data),
            CreateList(data),
            CreateRevoke(data),
        };
    }

    private static Command CreateCreate(Option<string?> data)
    {
        var name = new Option<string>("--name")
        {
            Description = "User or system that will use the key, as shown in the audit trail.",
            Required = true,
        };
        var scope = new Option<AccessScope>("--scope")
        {
            Description = "score, review, train or admin; each includes the scopes before it.",
            Required = true,
        };
        var categories = new Option<string[]>("--category")
        {
            Description = "Category that the key may access; may be repeated. Default: all.",
        };
        var days = new Option<int?>("--days") { Description = "Days until the key expires. Default: never." };
        var command = new Command("create", "Create a key and show it once.") { name, scope, categories, days };
        command.SetAction(
            (arguments, cancellationToken) =>
                WithDatabaseAsync(
                    arguments.GetValue(data),
                    async services =>
                    {
                        var request = new KeyRequest
                        {
                            Name = arguments.GetValue(name),
                            Scope = arguments.GetValue(scope),
                            Categories = arguments.GetValue(categories) is { Length: > 0 } some ? some : null,
                            ExpiresAt = arguments.GetValue(days) is { } left
                                ? services.GetRequiredService<TimeProvider>().GetUtcNow().AddDays(left)
                                : null,
                        };
                        var entry = await BeginAsync(services, "key.create", "/v1/keys", cancellationToken);
                        if (
                            !(
                                await services.GetRequiredService<KeyStore>().CreateAsync(request, cancellationToken)
                            ).Succeeded(out var made, out var problem)
                        )
                            return await EndAsync(services, entry, problem);
                        var about = KeyResponse.From(made.Key);
                        await services
                            .GetRequiredService<AuditStore>()
                            .EndAsync(
                                entry,
                                StatusCodes.Status201Created,
                                $"/v1/keys/{about.Id}",
                                JsonSerializer.Serialize(about, Json),
                                CancellationToken.None
                            );
                        // Standard output holds the key alone, for KEY=$(padim keys create ...).
                        await Console.Error.WriteLineAsync(
                            $"Key {about.Id} for {Format(about)}. It is shown only once:"
                        );
                        Console.Out.WriteLine(made.Text);
                        foreach (var warning in made.Warnings)
                            await Console.Error.WriteLineAsync(warning);
                        return CommandHost.Done;
                    },
                    cancellationToken
                )
        );
        return command;
    }

    private static Command CreateList(Option<string?> data)
    {
        var json = new Option<bool>("--json") { Description = "One JSON object per key, one per line." };
        var command = new Command("list", "List keys, including revoked and expired ones.") { json };
        command.SetAction(
            (arguments, cancellationToken) =>
                WithDatabaseAsync(
                    arguments.GetValue(data),
                    async services =>
                    {
                        var store = services.GetRequiredService<KeyStore>();
                        var time = services.GetRequiredService<TimeProvider>();
                        for (string? cursor = ""; cursor is not null; )
                        {
                            if (!PageRequest.Parse(limit: null, cursor).Succeeded(out var request, out _))
                                break;
                            var page = await store.ListAsync(request, cancellationToken);
                            foreach (var key in page.Items)
                                Console.Out.WriteLine(
                                    arguments.GetValue(json)
                                        ? JsonSerializer.Serialize(key, Json)
                                        : $"{key.Id}  {Format(key)}; "
                                            + $"{FormatState(key, time.GetUtcNow().UtcDateTime)}; last used "
                                            + $"{FormatDay(key.LastUsedAt)}"
                                );
                            cursor = page.NextCursor;
                        }
                        return CommandHost.Done;
                    },
                    cancellationToken
                )
        );
        return command;
    }

    private static Command CreateRevoke(Option<string?> data)
    {
        var id = new Argument<string>("id") { Description = "Identifier: the middle part of the key." };
        var command = new Command("revoke", "Revoke a key. A running service rejects it within a second.") { id };
        command.SetAction(
            (arguments, cancellationToken) =>
                WithDatabaseAsync(
                    arguments.GetValue(data),
                    async services =>
                    {
                        var wanted = arguments.GetRequiredValue(id);
                        var entry = await BeginAsync(services, "key.revoke", $"/v1/keys/{wanted}", cancellationToken);
                        if (
                            !(
                                await services.GetRequiredService<KeyStore>().RevokeAsync(wanted, cancellationToken)
                            ).Succeeded(out var revoked, out var problem)
                        )
                            return await EndAsync(services, entry, problem);
                        await services
                            .GetRequiredService<AuditStore>()
                            .EndAsync(
                                entry,
                                revoked.Before ? StatusCodes.Status200OK : StatusCodes.Status204NoContent,
                                result: null,
                                detail: null,
                                CancellationToken.None
                            );
                        var at = revoked.Key.RevokedAt;
                        await Console.Error.WriteLineAsync(
                            revoked.Before
                                ? FormattableString.Invariant(
                                    $"Key {wanted} was already revoked at {at:yyyy-MM-dd HH:mm:ss} UTC."
                                )
                                : $"Revoked key {wanted}."
                        );
                        return CommandHost.Done;
                    },
                    cancellationToken
                )
        );
        return command;
    }

    private static async Task<int> WithDatabaseAsync(
        string? dataDirectory,
        Func<IServiceProvider, Task<int>> action,
        CancellationToken cancellationToken
    )
    {
        await using var app = CommandHost.Create(dataDirectory, services => services.AddAccess());
        app.Services.GetRequiredService<DataDirectory>().Prepare(app.Services.GetRequiredService<IDatabaseEngine>());
        await app.Services.GetRequiredService<MachineLease>().TakeAsync(cancellationToken);
        await app.Services.GetRequiredService<Database>().UpgradeAsync(cancellationToken);
        return await action(app.Services);
    }

    private static Task<long> BeginAsync(
        IServiceProvider services,
        string action,
        string target,
        CancellationToken cancellationToken
    ) =>
        services
            .GetRequiredService<AuditStore>()
            .BeginAsync(
                new AuditEntry
                {
                    At = services.GetRequiredService<TimeProvider>().GetUtcNow().UtcDateTime,
                    Actor = $"command:{Environment.UserName}",
                    Action = action,
                    Target = AuditEntry.Shorten(target),
                },
                cancellationToken
            );

    private static async Task<int> EndAsync(IServiceProvider services, long entry, Problem problem)
    {
        await services
            .GetRequiredService<AuditStore>()
            .EndAsync(entry, problem.Status, result: null, detail: null, CancellationToken.None);
        return await CommandHost.FailAsync(Name, problem.Detail);
    }

    private static string Format(KeyResponse key) =>
        $"{key.Name}: {key.Scope.ToString().ToLowerInvariant()}, "
        + $"{(key.Categories is { } some ? string.Join(' ', some) : "all categories")}";

    private static string FormatState(KeyResponse key, DateTime now) =>
        key switch
        {
            { RevokedAt: { } at } => $"revoked {FormatDay(at)}",
            { ExpiresAt: { } at } when at <= now => $"expired {FormatDay(at)}",
            { ExpiresAt: { } at } => $"expires {FormatDay(at)}",
            _ => "never expires",
        };

    private static string FormatDay(DateTime? time) =>
        time?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "never";
}
