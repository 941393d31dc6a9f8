using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Sinks;

/// <summary>The sinks in the database, which all replicas share.</summary>
internal sealed class SinkStore(IDbContextFactory<PadimDbContext> contexts, SecretSeal seal, TimeProvider time)
{
    /// <summary>Most sinks of a service: each has a task of its own on every replica.</summary>
    public const int MaxSinks = 32;

    public async Task<IReadOnlyList<Sink>> ReadAllAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Sinks.AsNoTracking().OrderBy(sink => sink.Name).ToListAsync(cancellationToken);
    }

    public async Task<Outcome<Sink>> GetAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return
            await db.Sinks.AsNoTracking().SingleOrDefaultAsync(sink => sink.Name == name, cancellationToken) is { } sink
            ? sink
            : Problems.SinkNotFound(name);
    }

    /// <summary>Creates or replaces a sink. Secrets that the request leaves out stay.</summary>
    public async Task<Outcome<(Sink Sink, bool Created)>> PutAsync(
        string name,
        SinkRequest request,
        CancellationToken cancellationToken
    )
    {
        if (SinkRules.FindProblem(request) is { } problem)
            return problem;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await db.BeginExclusiveAsync(cancellationToken);
        var stored = await db.Sinks.SingleOrDefaultAsync(sink => sink.Name == name, cancellationToken);
        if (stored is null && await db.Sinks.CountAsync(cancellationToken) >= MaxSinks)
            return Problems.InvalidSettings($"There are {MaxSinks} sinks already, the most that a service has.");
        if (!Combine(stored, request).Succeeded(out var secrets, out problem))
            return problem;
        string? sealedSecrets = null;
        if (!secrets.IsEmpty && !TrySeal(name, secrets).Succeeded(out sealedSecrets, out problem))
            return problem;
        var now = time.GetUtcNow().UtcDateTime;
        var settings = JsonSerializer.Serialize(WithoutSecrets(request), SinkJson.Options);
        var revision = Guid.NewGuid().ToString("n");
        var isNew = stored is null;
        if (stored is null)
            db.Add(
                stored = new Sink
                {
                    Name = name,
                    Settings = settings,
                    Secrets = sealedSecrets,
                    Revision = revision,
                    CreatedAt = now,
                    ChangedAt = now,
                }
            );
        else
            (stored.Settings, stored.Secrets, stored.Revision, stored.ChangedAt) = (
                settings,
                sealedSecrets,
                revision,
                now
            );
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (stored, isNew);
    }

    /// <summary>Removes a sink with its dead letters. Returns the problem if there is none.</summary>
    public async Task<Problem?> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Sinks.Where(sink => sink.Name == name).ExecuteDeleteAsync(cancellationToken) > 0
            ? null
            : Problems.SinkNotFound(name);
    }

    /// <summary>Gets what a row says.</summary>
    public SinkDefinition Read(Sink sink) =>
        new(
            sink.Name,
            JsonSerializer.Deserialize<SinkRequest>(sink.Settings, SinkJson.Options)!,
            sink.Secrets is null ? new SinkSecrets() : seal.TryOpen(sink.Name, sink.Secrets),
            sink.Revision
        );

    private static SinkRequest WithoutSecrets(SinkRequest request) =>
        request with
        {
            Webhook = request.Webhook is { } webhook ? webhook with { Secrets = null } : null,
            Mqtt = request.Mqtt is { } mqtt ? mqtt with { Password = null, ClientKey = null } : null,
        };

    /// <summary>Gets the secrets in force: those of the request, or else the stored ones.</summary>
    private Outcome<SinkSecrets> Combine(Sink? stored, SinkRequest request)
    {
        var before = stored is null ? null : Read(stored);
        if (request.Webhook is { } webhook)
        {
            var secrets = webhook.Secrets ?? before?.Secrets?.Webhook ?? [];
            if (secrets.Length > 0)
                return new SinkSecrets { Webhook = secrets };
            return Problems.InvalidSettings(
                before is { Secrets: null }
                    ? "The stored secrets cannot be opened with this replica's key (SinkKeyFile). Send webhook.secrets."
                    : "webhook.secrets is required: the receiver knows by the signature who sends."
            );
        }
        if (request.Mqtt is not { } mqtt)
            return new SinkSecrets();
        // A password for one broker must not reach another.
        var kept = before?.Settings.Mqtt is { } known && known.IsSameBroker(mqtt) ? before.Secrets : null;
        var key = mqtt.ClientKey ?? kept?.MqttKey;
        if (mqtt.ClientCertificate is { } certificate && MqttRules.FindPairFault(certificate, key) is { } fault)
            return Problems.InvalidSettings(fault);
        return new SinkSecrets
        {
            MqttPassword = mqtt.User is null ? null : mqtt.Password ?? kept?.MqttPassword,
            MqttKey = mqtt.ClientCertificate is null ? null : key,
        };
    }

    private Outcome<string> TrySeal(string name, SinkSecrets secrets)
    {
        if (seal.FindFault() is { } fault)
            return Problems.InvalidSettings(fault);
        try
        {
            return seal.Seal(name, secrets);
        }
        catch (Exception e)
            when (e
                    is FileNotFoundException
                        or DirectoryNotFoundException
                        or UnauthorizedAccessException
                        or InvalidDataException
            )
        {
            return Problems.InvalidSettings($"The key of the sinks (SinkKeyFile) cannot be used: {e.Message}");
        }
    }
}
