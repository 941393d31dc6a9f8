using Grpc.AspNetCore.Server;
using Microsoft.Extensions.Options;
using PaDiM.Service.Access;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.OpenInference;

/// <summary>The gRPC service among the endpoints, with the limits of its messages.</summary>
internal static class GrpcEndpoints
{
    /// <summary>What a message has besides its images.</summary>
    private const int Slack = 1 << 16;

    /// <summary>The largest body of a call without images.</summary>
    private const int MaxSmallBody = 1 << 16;

    public static void AddGrpcService(this IServiceCollection services)
    {
        // Otherwise every address of two segments would be one of gRPC, for any method.
        services.AddSingleton<ProblemFormat, GrpcErrors>().AddGrpc(grpc => grpc.IgnoreUnknownServices = true);
        services
            .AddOptions<GrpcServiceOptions<GrpcService>>()
            .Configure<IOptions<ImageOptions>>(
                (grpc, images) => grpc.MaxReceiveMessageSize = images.Value.MaxImageBytes + Slack
            );
    }

    public static void MapGrpcService(this IEndpointRouteBuilder routes)
    {
        var service = routes
            .MapGrpcService<GrpcService>()
            .Needs(AccessScope.Score)
            .WithDeadlines(
                (context, problem) =>
                {
                    if (HasImages(context.GetEndpoint()!.Metadata))
                        context.RequestServices.GetRequiredService<ScoreMetrics>().RecordFailure(problem);
                }
            );
        service.Add(endpoint =>
        {
            var hasImages = HasImages(endpoint.Metadata);
            var images = endpoint.ApplicationServices.GetRequiredService<IOptions<ImageOptions>>().Value;
            // The framework reads no more than a message: the server's limit is only behind its own.
            endpoint.Metadata.Add(new UploadLimit(hasImages ? images.MaxImageBytes + 2L * Slack : MaxSmallBody));
            if (hasImages && endpoint.RequestDelegate is { } call)
                endpoint.RequestDelegate = context =>
                {
                    var held = context.RequestServices.GetRequiredService<BodyMemory>().Start();
                    context.Response.RegisterForDispose(held);
                    context.Request.Body = new CountedBody(context.Request.Body, held);
                    return call(context);
                };
        });
    }

    private static bool HasImages(IEnumerable<object> metadata) =>
        metadata.OfType<GrpcMethodMetadata>().Any(method => method.Method.Name == nameof(GrpcService.ModelInfer));
}
