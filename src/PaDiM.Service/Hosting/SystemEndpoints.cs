using Microsoft.ML.OnnxRuntime;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;
using PaDiM.Service.Access;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Models;

namespace PaDiM.Service.Hosting;

/// <summary><c>/v1/system</c>: what is running, on what, with which backbones.</summary>
internal static class SystemEndpoints
{
    public static void MapSystem(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/v1/system",
                async (
                    Caller caller,
                    BackboneRuntime runtime,
                    BackboneListing backbones,
                    ModelCache cache,
                    ModelRegistry models,
                    OpenAccess access,
                    CancellationToken cancellationToken
                ) =>
                    TypedResults.Ok(
                        Describe(
                            caller,
                            runtime,
                            backbones,
                            cache,
                            models,
                            await access.IsRequiredAsync(cancellationToken)
                        )
                    )
            )
            .Needs(AccessScope.Score)
            .WithTags("Operations")
            .WithName("GetSystem")
            .WithSummary("Tells version, device, backbones, memory and the models in it")
            .Produces<SystemResponse>();

    private static SystemResponse Describe(
        Caller caller,
        BackboneRuntime runtime,
        BackboneListing backbones,
        ModelCache cache,
        ModelRegistry models,
        bool keyRequired
    ) =>
        new(
            ServiceVersion.Current,
            runtime.Device,
            runtime.ExecutionProvider,
            OrtEnv.Instance().GetVersionString(),
            runtime.Threads,
            [.. backbones.List().Where(backbone => backbone.State != BackboneState.Available).Select(Describe)],
            new MemoryResponse(Environment.WorkingSet, GC.GetTotalMemory(forceFullCollection: false), cache.Bytes),
            OnlyOf(caller, cache.Describe()),
            [.. models.DescribeDamage().Where(model => caller.MaySee(model.Category))],
            keyRequired
        );

    /// <summary>The names of models are those of categories.</summary>
    private static ModelCacheResponse OnlyOf(Caller caller, ModelCacheResponse all) =>
        all with
        {
            Models = [.. all.Models.Where(model => caller.MaySee(model.Category))],
        };

    private static UsableBackboneResponse Describe(ListedBackbone backbone) =>
        new(
            backbone.Name,
            backbone.Sha256,
            backbone.State == BackboneState.BuiltIn,
            backbone.Origin,
            backbone.Licence,
            backbone.Taps,
            backbone.Error
        );
}

/// <summary>What is running.</summary>
/// <param name="Version">Of the service.</param>
/// <param name="Device"><c>cpu</c> or <c>cuda</c>, as really in use.</param>
/// <param name="ExecutionProvider">ONNX Runtime's name of the provider in use.</param>
/// <param name="OnnxRuntime">Version of ONNX Runtime.</param>
/// <param name="Threads">Threads of one inference.</param>
/// <param name="Backbones">Networks that categories may name.</param>
/// <param name="Memory">Bytes in use.</param>
/// <param name="ModelCache">The models in memory, of the categories that the caller may see.</param>
/// <param name="DamagedModels">Versions whose file is damaged or missing, as far as this process has read it; of the
/// categories that the caller may see.</param>
/// <param name="KeyRequired">Requests need a key or a token; false while everyone who reaches the service may do
/// everything.</param>
internal sealed record SystemResponse(
    string Version,
    string Device,
    string ExecutionProvider,
    string OnnxRuntime,
    int Threads,
    IReadOnlyList<UsableBackboneResponse> Backbones,
    MemoryResponse Memory,
    ModelCacheResponse ModelCache,
    IReadOnlyList<DamagedModelResponse> DamagedModels,
    bool KeyRequired
);

/// <summary>A network that categories may name.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Sha256">Hash of its file.</param>
/// <param name="BuiltIn">It came with the program.</param>
/// <param name="Origin">Where its weights come from, as its manifest says.</param>
/// <param name="Licence">Licence of its weights, as its manifest says.</param>
/// <param name="Taps">Tensors it is tapped at; empty where its manifest leaves them to be found from the graph.</param>
/// <param name="Error">Why it cannot be used.</param>
internal sealed record UsableBackboneResponse(
    string Name,
    string? Sha256,
    bool BuiltIn,
    string? Origin,
    string? Licence,
    IReadOnlyList<BackboneTap> Taps,
    string? Error
);

/// <summary>Bytes in use.</summary>
/// <param name="WorkingSet">Of the process.</param>
/// <param name="ManagedHeap">Of the managed heap.</param>
/// <param name="Models">Of models that are ready to score.</param>
internal sealed record MemoryResponse(long WorkingSet, long ManagedHeap, long Models);
