using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.OpenInference;

/// <summary>
/// The Open Inference Protocol, version 2: categories are its models. Images take the same way as those of
/// <c>/v1/categories/{category}/score</c>.
/// </summary>
internal static class OpenInferenceFeature
{
    public static IServiceCollection AddOpenInference(this IServiceCollection services)
    {
        services.AddGrpcService();
        return services
            .AddSingleton<ProblemFormat, OpenInferenceErrors>()
            .AddSingleton<ModelIndex>()
            .AddSingleton<InferReader>()
            .AddSingleton<InferScorer>();
    }

    public static void MapOpenInference(this IEndpointRouteBuilder routes)
    {
        // The protocol has a description of its own, and problems of another shape than the document describes.
        var protocol = routes.MapGroup("/v2").Needs(AccessScope.Score).ExcludeFromDescription();
        protocol.MapProtocolServer();
        protocol.MapProtocolModels();
        protocol.MapInfer();
        routes.MapGrpcService();
    }
}
