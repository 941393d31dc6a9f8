using Microsoft.Extensions.Options;
using PaDiM.Core.Scoring;
using PaDiM.Service.Access;
using PaDiM.Service.Data;
using PaDiM.Service.Http;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.Sinks;

/// <summary><c>/v1/sinks</c>: where inspections go.</summary>
internal static class SinkEndpoints
{
    public static void MapSinkEndpoints(this RouteGroupBuilder sinks)
    {
        sinks
            .MapGet("", ListAsync)
            .WithName("ListSinks")
            .WithSummary("Lists sinks by name, with their status on this replica")
            .Produces<Page<SinkResponse>>();
        var one = sinks.MapGroup("{sink}").AddEndpointFilter(SinkRules.Filter);
        one.MapGet("", GetAsync)
            .WithName("GetSink")
            .WithSummary("Gets a sink, with its status on this replica")
            .Produces<SinkResponse>();
        one.MapPut("", PutAsync)
            .Audited("sink.put")
            .WithName("PutSink")
            .WithSummary("Creates or replaces a sink")
            .WithDescription(
                "Every replica sends its own inspections to it, from within a second on. Secrets are stored sealed and never "
                    + "returned; leave them out to keep the stored ones."
            )
            .Produces<SinkResponse>()
            .Produces<SinkResponse>(StatusCodes.Status201Created);
        one.MapDelete("", DeleteAsync)
            .Audited("sink.delete")
            .WithName("DeleteSink")
            .WithSummary("Deletes a sink with its queue and its dead letters")
            .Produces(StatusCodes.Status204NoContent);
        one.MapPost("test", TestAsync)
            .Audited("sink.test")
            .WithName("TestSink")
            .WithSummary("Sends a made-up inspection, and answers what the receiver said")
            .WithDescription(
                "One attempt from this replica, whatever the circuit says. The event has the type `padim.test`, the category "
                    + "`test` and an identifier that starts with `test-`. With Sparkplug it is data of the edge node."
            )
            .Produces<SinkTestResponse>();
    }

    private static async Task<IResult> ListAsync(
        SinkStore store,
        SinkRegistry registry,
        SinkTargets targets,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        var rows = (await store.ReadAllAsync(cancellationToken))
            .Where(sink => string.CompareOrdinal(sink.Name, page.After) > 0)
            .ToArray();
        return TypedResults.Ok(page.Cut(rows, sink => sink.Name, sink => Describe(sink, store, registry, targets)));
    }

    private static async Task<IResult> GetAsync(
        string sink,
        SinkStore store,
        SinkRegistry registry,
        SinkTargets targets,
        CancellationToken cancellationToken
    ) =>
        (await store.GetAsync(sink, cancellationToken)).ToResult(row =>
            TypedResults.Ok(Describe(row, store, registry, targets))
        );

    private static async Task<IResult> PutAsync(
        string sink,
        SinkRequest request,
        HttpContext context,
        SinkStore store,
        SinkRegistry registry,
        SinkTargets targets,
        CancellationToken cancellationToken
    )
    {
        if (!(await store.PutAsync(sink, request, cancellationToken)).Succeeded(out var put, out var problem))
            return problem;
        await registry.RefreshAsync(CancellationToken.None);
        var described = Describe(put.Sink, store, registry, targets);
        context.AddAuditDetail(described with { Status = null });
        return put.Created ? TypedResults.Created($"/v1/sinks/{sink}", described) : TypedResults.Ok(described);
    }

    private static async Task<IResult> DeleteAsync(
        string sink,
        SinkStore store,
        SinkRegistry registry,
        SinkTargets targets,
        CancellationToken cancellationToken
    )
    {
        if (await store.RemoveAsync(sink, cancellationToken) is { } problem)
            return problem;
        await registry.RefreshAsync(CancellationToken.None);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> TestAsync(
        string sink,
        SinkStore store,
        SinkRegistry registry,
        IOptions<ReplicaOptions> replica,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        if ((await store.GetAsync(sink, cancellationToken)).Problem is { } problem)
            return problem;
        await registry.RefreshAsync(cancellationToken);
        if (registry.Find(sink) is not { } worker)
            return Problems.SinkNotFound(sink);
        var began = time.GetTimestamp();
        var (delivered, detail) = (true, "");
        try
        {
            detail = await worker.Delivery.TestAsync(
                CreateTest(time.GetUtcNow(), replica.Value.ReplicaName),
                cancellationToken
            );
        }
        catch (DeliveryException e)
        {
            (delivered, detail) = (false, e.Message);
        }
        return TypedResults.Ok(
            new SinkTestResponse(delivered, Math.Round(time.GetElapsedTime(began).TotalMilliseconds, 1), detail)
        );
    }

    private static Inspection CreateTest(DateTimeOffset now, string replica) =>
        new(
            $"test-{Guid.CreateVersion7(now):n}",
            "test",
            "test",
            "test",
            null,
            now.UtcDateTime,
            Decision.Normal,
            Score: 1,
            Threshold: 2,
            PValue: 0.5,
            "test",
            ModelVersion: 1,
            ThresholdVersion: 0,
            Fallback: false,
            Array.Empty<AnomalyRegion>(),
            [],
            new ScoredImage(64, 64, new string('0', 64)),
            new Timings(0, 0, 0, 0, 0, 0),
            replica
        );

    private static SinkResponse Describe(Sink sink, SinkStore store, SinkRegistry registry, SinkTargets targets)
    {
        var (_, settings, secrets, _) = store.Read(sink);
        return new SinkResponse(
            sink.Name,
            settings.Enabled,
            settings.Categories,
            settings.Decisions,
            settings.TimeoutSeconds,
            settings.Webhook is { } webhook
                ? new WebhookResponse(webhook.Url!, secrets?.Webhook.Length ?? 0, webhook.AllowPrivate)
                : null,
            settings.Mqtt is { } mqtt
                ? new MqttResponse(
                    mqtt.Host!,
                    mqtt.GetPort(),
                    mqtt.Tls,
                    mqtt.CaCertificates,
                    mqtt.ClientCertificate,
                    mqtt.User,
                    !string.IsNullOrEmpty(secrets?.MqttPassword),
                    mqtt.Topic,
                    mqtt.Qos,
                    mqtt.Retain,
                    mqtt.StatusTopic,
                    mqtt.Sparkplug is { } sparkplug
                        ? new SparkplugResponse(sparkplug.Group!, targets.GetNode(sink.Name))
                        : null
                )
                : null,
            settings.Folder is { } folder
                ? new FolderResponse(targets.GetFolder(sink.Name), folder.Images, folder.MaxFileBytes, folder.KeepDays)
                : null,
            sink.CreatedAt,
            sink.ChangedAt,
            registry.GetStatus(sink.Name)
        );
    }
}
