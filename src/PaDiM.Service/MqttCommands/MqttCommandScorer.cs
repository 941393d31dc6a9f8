using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Imaging.Heatmaps;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.MqttCommands;

/// <summary>Scores what a command carries or names, as <c>/v1/categories/{category}/score</c> does.</summary>
internal sealed partial class MqttCommandScorer(
    PartRegistry registry,
    ImageAdmission admission,
    BodyMemory memory,
    NamedImages named,
    ImageDecoder decoder,
    ScoreService scoring,
    ScoreMetrics metrics,
    IOptions<ImageOptions> images,
    IOptions<JsonOptions> json,
    TimeProvider time,
    ILogger<MqttCommandScorer> logger
)
{
    private static readonly ScoreDetails Details = new(Heatmap: null, PictureFormat.Png, Contours: false);

    /// <summary>Scores the image of a command. Every failure is an answer.</summary>
    /// <param name="command">The command.</param>
    /// <param name="topic">The topic that it came to.</param>
    /// <param name="waited">How long it has waited for its turn, which counts for the deadline.</param>
    /// <param name="cancellationToken">Gives it up: the service stops.</param>
    public async Task<CommandAnswer> ScoreAsync(
        MqttCommand command,
        string topic,
        TimeSpan waited,
        CancellationToken cancellationToken
    )
    {
        using var passed = command.DeadlineMs is { } milliseconds
            ? new CancellationTokenSource(Left(TimeSpan.FromMilliseconds(milliseconds) - waited), time)
            : new CancellationTokenSource();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(passed.Token, cancellationToken);
        try
        {
            var outcome = await ScoreAsync(command, stop.Token);
            return outcome.Succeeded(out var scored, out var problem)
                ? new CommandAnswer(Write(scored), "application/json", Problem: null)
                : Refuse(problem, topic);
        }
        catch (OperationCanceledException) when (passed.IsCancellationRequested)
        {
            var problem = Problems.DeadlinePassed(command.DeadlineMs!.Value);
            metrics.RecordFailure(problem);
            return Refuse(problem, topic);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var problem = ExceptionProblems.ToProblem(e);
            if (problem.Status >= StatusCodes.Status500InternalServerError)
                LogFailure(e, command.Category);
            return Refuse(problem, topic);
        }
    }

    private static TimeSpan Left(TimeSpan left) => left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>Creates the answer to a command that is not carried out.</summary>
    public CommandAnswer Refuse(Problem problem, string topic) =>
        new(
            Write(problem.ToProblemDetails(topic, Activity.Current?.TraceId.ToString() ?? "")),
            "application/problem+json",
            problem
        );

    private async Task<Outcome<ScoreResponse>> ScoreAsync(MqttCommand command, CancellationToken cancellationToken)
    {
        if (!CategoryName.IsValid(command.Category))
            return Problems.InvalidName(command.Category);
        if (!command.Parse().Succeeded(out var asked, out var problem))
            return problem;
        if (PartHeaders.Validate(asked.InspectionId) is { } badId)
            return badId;
        var parsed = PixelQuery.Parse(
            command.NamesImage ? null : command.ContentType,
            asked.Width,
            asked.Height,
            asked.Format,
            asked.SignificantBits,
            decoder
        );
        if (!parsed.Succeeded(out var layout, out problem))
            return problem;
        var acquired = await registry.AcquireAsync(command.Category, asked.Model, cancellationToken);
        if (!acquired.Succeeded(out var models, out problem))
            return problem;
        if (admission.IsFull)
            return admission.Refuse();
        using var held = memory.Start();
        var read = await ReadAsync(command, asked, layout, held, cancellationToken);
        if (!read.Succeeded(out var file, out problem))
            return problem;
        var identity = new PartIdentity(
            RequestIdentity.Clean(asked.PartId ?? file.FileName),
            RequestIdentity.Clean(asked.StationId),
            RequestIdentity.Clean(asked.LotId),
            asked.InspectionId
        );
        var scored = await scoring.ScoreAsync(models, file, Details, Priority.Line, identity, cancellationToken);
        return scored.Succeeded(out var found, out problem) ? found.Response : problem;
    }

    private async Task<Outcome<RequestFile>> ReadAsync(
        MqttCommand command,
        ScoreCommand asked,
        PixelLayout? layout,
        BodyMemory.Lease held,
        CancellationToken cancellationToken
    )
    {
        FileInfo? source = null;
        if (command.NamesImage)
        {
            if (!named.Find(asked.Path).Succeeded(out source, out var problem))
                return problem;
        }
        else if (layout is null && command.Payload.Length > images.Value.MaxImageBytes)
            return Problems.ImageBytes(images.Value.MaxImageBytes);
        else if (layout is not null && command.Payload.Length != layout.Length)
            return Problems.PixelsLength(command.Payload.Length, layout);
        if (!held.TryGrow(source?.Length ?? command.Payload.Length))
            return Problems.QueueFull("images are being received");
        var bytes = source is null ? command.Payload : await File.ReadAllBytesAsync(source.FullName, cancellationToken);
        if (bytes.Length == 0)
            return Problems.NoImages();
        return new RequestFile("files", source?.Name ?? "", bytes, Fault: null, layout)
        {
            SignificantBits = asked.SignificantBits,
        };
    }

    private byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, json.Value.SerializerOptions);

    [LoggerMessage(Level = LogLevel.Error, Message = "A command for {Category} failed")]
    private partial void LogFailure(Exception exception, string category);
}

/// <summary>The answer to a command.</summary>
/// <param name="Payload">The body that a request would get.</param>
/// <param name="ContentType">Its content type.</param>
/// <param name="Problem">Why there is no score; null if there is one.</param>
internal sealed record CommandAnswer(byte[] Payload, string ContentType, Problem? Problem);
