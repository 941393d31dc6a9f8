using System.Globalization;
using System.Text;
using PaDiM.Core.Models;
using PaDiM.Core.Persistence;
using PaDiM.Engine;
using PaDiM.Engine.Export;
using PaDiM.Engine.Faults;
using PaDiM.Engine.Files;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging;
using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.Models;

/// <summary><c>/v1/categories/{category}/models</c>: versions, activation and rollback, export and import.</summary>
internal static class ModelEndpoints
{
    private const string MediaType = "application/octet-stream";

    public static void MapModelEndpoints(this RouteGroupBuilder category)
    {
        var models = category.MapGroup("models").WithTags("Models");
        models
            .MapGet("", ListAsync)
            .Needs(AccessScope.Score)
            .WithName("ListModels")
            .WithSummary("Lists model versions, newest first")
            .Produces<Page<ModelResponse>>();
        models
            .MapGet("{version:int}", GetAsync)
            .Needs(AccessScope.Score)
            .WithName("GetModel")
            .WithSummary("Gets a model version")
            .Produces<ModelResponse>();
        models
            .MapPost("{version:int}/activate", ActivateAsync)
            .Audited("model.activate")
            .WithName("ActivateModel")
            .WithSummary("Activates a model version (also used to roll back)")
            .Produces<ModelResponse>();
        models
            .MapDelete("{version:int}", DeleteAsync)
            .Audited("model.delete")
            .WithName("DeleteModel")
            .WithSummary("Deletes an inactive version")
            .Produces(StatusCodes.Status204NoContent);
        models
            .MapGet("{version:int}/export", ExportAsync)
            .WithName("ExportModel")
            .WithSummary("Exports a version as one file")
            .WithDescription(
                "`safetensors` is the format that `import` reads. `onnx` scores without this service: "
                    + "normalisation, backbone, distances and smoothing in one graph, from `image` (n, 3, H, W), "
                    + "RGB in [0, 1] at the prepared size, to `anomaly_map` (n, 1, H, W) and `score` (n). Its "
                    + "metadata has the threshold in force and how to prepare an image."
            )
            .Produces<byte[]>(StatusCodes.Status200OK, MediaType)
            .ProducesFile();
        models
            .MapPost("import", ImportAsync)
            .Needs(AccessScope.Admin)
            .Audited("model.import")
            .ReadsUploads()
            .WithName("ImportModel")
            .WithSummary("Imports an exported model as a new version")
            .WithDescription(
                "Also accepts the output of `padim fit --out`. The backbone must be installed and "
                    + "byte-identical to the one used for the fit."
            )
            .Accepts<IFormFile>(MediaType, FormReader.MediaType)
            .Produces<ModelResponse>(StatusCodes.Status201Created);
    }

    private static async Task<IResult> ListAsync(
        string category,
        ModelStore store,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!PageRequest.Parse(limit, cursor).Succeeded(out var page, out var problem))
            return problem;
        return (await store.ListAsync(category, page, cancellationToken)).ToResult(TypedResults.Ok);
    }

    private static async Task<IResult> GetAsync(
        string category,
        int version,
        ModelStore store,
        CancellationToken cancellationToken
    ) => (await store.GetResponseAsync(category, version, cancellationToken)).ToResult(TypedResults.Ok);

    private static async Task<IResult> ActivateAsync(
        string category,
        int version,
        ModelActivation activation,
        CancellationToken cancellationToken
    ) => (await activation.ActivateAsync(category, version, cancellationToken)).ToResult(TypedResults.Ok);

    private static async Task<IResult> DeleteAsync(
        string category,
        int version,
        ModelStore store,
        CancellationToken cancellationToken
    ) =>
        await store.DeleteAsync(category, version, cancellationToken) is { } problem
            ? problem
            : TypedResults.NoContent();

    private static async Task<IResult> ExportAsync(
        string category,
        int version,
        ModelStore store,
        ModelFiles files,
        ModelRegistry registry,
        CancellationToken cancellationToken,
        Choice<ExportFormat>? format = null
    )
    {
        if (!(await store.GetAsync(category, version, cancellationToken)).Succeeded(out var stored, out var problem))
            return problem;
        if (format?.Value == ExportFormat.Onnx)
            return await ExportOnnxAsync(stored, registry, cancellationToken);
        if (!(await files.OpenAsync(stored, cancellationToken)).Succeeded(out var file, out problem))
            return problem;
        return new StoredFile(file, MediaType, $"{category}-{version}{ModelFiles.ModelSuffix}", stored.Sha256);
    }

    private static async Task<IResult> ExportOnnxAsync(
        StoredModel stored,
        ModelRegistry registry,
        CancellationToken cancellationToken
    )
    {
        var (category, version) = (stored.Category, stored.Version);
        if (
            !(await registry.AcquireAsync(category, version, cancellationToken)).Succeeded(
                out var model,
                out var problem
            )
        )
            return problem;
        try
        {
            var export = OnnxExport.Create(
                model.Scorer.Model,
                model.Scorer.Backbone,
                new ExportNotes(model.Threshold, category, version)
            );
            // Whitening factors are computed at the client's pace, so a slow client blocks no thread, and no file is
            // kept.
            return new StoredFile(
                export.OpenRead(),
                MediaType,
                $"{category}-{version}.onnx",
                GetOnnxTag(stored, model.Threshold)
            );
        }
        catch (UserFaultException e)
        {
            return Problems.ExportUnsupported(e.Message);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return Problems.ModelUnusable(e.Message);
        }
    }

    /// <summary>Names the bytes of an export by everything that they are made from.</summary>
    private static string GetOnnxTag(StoredModel stored, double threshold) =>
        FileHash.Compute(
            Encoding.UTF8.GetBytes(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{ServiceVersion.Current} {stored.Category} {stored.Version} {stored.Sha256} {threshold:r}"
                )
            )
        );

    private static async Task<IResult> ImportAsync(
        string category,
        HttpRequest request,
        CategoryStore categories,
        ModelStore store,
        DataDirectory data,
        ModelDrafts drafts,
        SettingsResolver settings,
        DiskSpace space,
        CancellationToken cancellationToken,
        bool activate = true
    )
    {
        if (!IsRaw(request) && FormReader.FindBoundary(request) is null)
            return FormReader.CreateTypeProblem(
                request,
                $"the file as the body ({MediaType}), or {FormReader.MediaType} with it in the field "
                    + FormFields.FileNames
            );
        if (!await categories.ExistsAsync(category, cancellationToken))
            return Problems.CategoryNotFound(category);
        if (space.ValidateFreeSpace() is { } full)
            return full;
        var fileName = $"import-{Guid.NewGuid():n}{ModelFiles.ModelSuffix}";
        await using var draft = drafts.Create(category, fileName);
        var received = Path.Combine(data.Models, category, $"{fileName}{AtomicFile.TemporaryMark}body");
        try
        {
            if (
                !(await ReceiveAsync(request, received, settings, cancellationToken)).Succeeded(
                    out var model,
                    out var problem
                )
            )
                return problem;
            if (
                await draft.PublishAsync(model, activate, shadow: false, lease: null, cancellationToken)
                is not { } stored
            )
                return Problems.CategoryNotFound(category);
            return (await store.GetResponseAsync(category, stored.Version, cancellationToken)).ToResult(described =>
                TypedResults.Created($"/v1/categories/{category}/models/{stored.Version}", described)
            );
        }
        finally
        {
            File.Delete(received);
        }
    }

    private static bool IsRaw(HttpRequest request) =>
        request.ContentType?.StartsWith(MediaType, StringComparison.OrdinalIgnoreCase) is true;

    /// <summary>Copies the body, or the only file of a form. Returns the problem if there is no such file.</summary>
    private static async Task<Problem?> CopyFileAsync(
        HttpRequest request,
        Stream target,
        CancellationToken cancellationToken
    )
    {
        if (FormReader.FindBoundary(request) is not { } boundary)
        {
            await request.Body.CopyToAsync(target, cancellationToken);
            return null;
        }
        var files = 0;
        await foreach (var part in FormReader.ReadFilesAsync(request, boundary, cancellationToken))
        {
            if (!FormFields.IsFile(part.Field))
                return FormFields.CreateProblem(part.Field);
            if (files++ > 0)
                return Problems.OneFileOnly();
            // Only reading can be the client's fault.
            var buffer = new byte[1 << 16];
            for (
                int read;
                (read = await FormReader.ReportAsync(part.Body.ReadAsync(buffer, cancellationToken).AsTask())) > 0;

            )
                await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
        return files > 0
            ? null
            : Problems.InvalidRequest($"The form has no file; send the model in the field {FormFields.FileNames}.");
    }

    private static async Task<Outcome<PadimModel>> ReceiveAsync(
        HttpRequest request,
        string path,
        SettingsResolver settings,
        CancellationToken cancellationToken
    )
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var file = new FileStream(
            path,
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.None,
            1 << 16,
            FileOptions.Asynchronous
        );
        if (await CopyFileAsync(request, file, cancellationToken) is { } missing)
            return missing;
        file.Position = 0;
        try
        {
            var model = ModelFile.Read(file);
            if (!settings.OpenBackbone(model.Backbone.Name).Succeeded(out var backbone, out var problem))
                return problem;
            // The scorer refuses another backbone, and scoring one black image checks that grid, channels and numbers
            // match. This runs on the host: it checks the file and needs no device memory. The model tests itself on
            // the device when it is loaded there.
            var scorer = new ModelScorer(model, backbone);
            var compute = ComputeContext.OnThreadPool(backbone.Runtime.Threads, bindsCaller: true);
            _ = scorer.Score(new RgbImage(1, 1, new byte[3]), compute);
            return SelfTest.Validate(scorer, compute) is { } deviation ? Problems.InvalidModel(deviation) : model;
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            return Problems.InvalidModel(e.Message);
        }
    }
}
