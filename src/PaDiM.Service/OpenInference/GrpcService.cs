using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using PaDiM.Service.Access;
using PaDiM.Service.Admission;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;
using PaDiM.Service.OpenInference.Messages;
using PaDiM.Service.Roles;

namespace PaDiM.Service.OpenInference;

/// <summary><c>inference.GRPCInferenceService</c>, the gRPC service of the protocol.</summary>
internal sealed partial class GrpcService(
    HealthCheckService checks,
    ModelIndex index,
    PartRegistry registry,
    ImageAdmission admission,
    InferReader reader,
    InferScorer scorer,
    IOptions<RoleOptions> role,
    IOptions<ImageOptions> images,
    ILogger<GrpcService> logger
) : GrpcBinding
{
    [AllowAnonymous]
    public override Task<ServerLiveResponse> ServerLive(ServerLiveRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerLiveResponse { Live = true });

    [AllowAnonymous]
    public override async Task<ServerReadyResponse> ServerReady(
        ServerReadyRequest request,
        ServerCallContext context
    ) => new() { Ready = await ServerEndpoints.IsReadyAsync(checks, context.CancellationToken) };

    public override Task<ServerMetadataResponse> ServerMetadata(
        ServerMetadataRequest request,
        ServerCallContext context
    ) =>
        Task.FromResult(
            new ServerMetadataResponse
            {
                Name = ServerEndpoints.Name,
                Version = ServiceVersion.Current,
                Extensions = { ServerEndpoints.GrpcExtensions },
            }
        );

    public override async Task<ModelReadyResponse> ModelReady(ModelReadyRequest request, ServerCallContext context) =>
        await RunAsync(
            context,
            async () =>
            {
                var version = OpenModel(request.Name, request.Version, context);
                RequireScoring();
                var fault = await ModelEndpoints.FindFaultAsync(
                    request.Name,
                    version,
                    registry,
                    context.CancellationToken
                );
                return fault is { Status: StatusCodes.Status404NotFound }
                    ? throw new RpcException(GrpcErrors.ToStatus(fault))
                    : new ModelReadyResponse { Ready = fault is null };
            }
        );

    public override async Task<ModelMetadataResponse> ModelMetadata(
        ModelMetadataRequest request,
        ServerCallContext context
    ) =>
        await RunAsync(
            context,
            async () =>
            {
                var version = OpenModel(request.Name, request.Version, context);
                var model = GrpcErrors.GetOrThrow(
                    await ModelEndpoints.DescribeAsync(request.Name, version, index, context.CancellationToken)
                );
                return new ModelMetadataResponse
                {
                    Name = model.Name,
                    Platform = model.Platform,
                    Versions = { model.Versions },
                    Inputs = { model.Inputs.Select(Convert) },
                    Outputs = { model.Outputs.Select(Convert) },
                };
            }
        );

    public override async Task<ModelInferResponse> ModelInfer(byte[] request, ServerCallContext context) =>
        await RunAsync(
            context,
            async () =>
            {
                var call = GrpcErrors.GetOrThrow(GrpcInferRequest.Parse(request));
                var version = OpenModel(call.Model, call.Version, context);
                RequireScoring();
                var http = context.GetHttpContext();
                var part = new PartHeaders(
                    Get(RequestIdentity.PartHeader),
                    Get(RequestIdentity.StationHeader),
                    Get(RequestIdentity.LotHeader),
                    Get(RequestIdentity.InspectionHeader)
                );
                if (part.Validate() is { } badId)
                    throw new RpcException(GrpcErrors.ToStatus(badId));
                var models = GrpcErrors.GetOrThrow(
                    await registry.AcquireAsync(call.Model, version, context.CancellationToken)
                );
                if (admission.IsFull)
                    throw new RpcException(GrpcErrors.ToStatus(admission.Refuse()));
                var shape = GrpcErrors.GetOrThrow(reader.ParseShape(call.Header));
                var outputs = GrpcErrors.GetOrThrow(InferOutput.Choose(call.Header));
                var answer = GrpcErrors.GetOrThrow(
                    await scorer.ScoreAsync(
                        models,
                        call.Header,
                        shape.Count,
                        call.ReadFiles(shape, images.Value.MaxImageBytes, context.CancellationToken),
                        outputs,
                        part,
                        http,
                        context.CancellationToken
                    )
                );
                return Convert(answer, call);

                string? Get(string header) => http.Request.Headers[header] is [{ } value] ? value : null;
            }
        );

    /// <summary>Checks a name and whether the caller may see it: the address of a call does not have it.</summary>
    private static int? OpenModel(string name, string version, ServerCallContext context)
    {
        if (!CategoryName.IsValid(name))
            throw new RpcException(GrpcErrors.ToStatus(Problems.InvalidName(name)));
        if (context.GetHttpContext().User.Identity is not Caller caller || !caller.MaySee(name))
            throw new RpcException(GrpcErrors.ToStatus(Problems.CategoryForbidden(name)));
        return GrpcErrors.GetOrThrow(VersionName.Parse(name, version, ModelIndex.Active));
    }

    private void RequireScoring()
    {
        if (!role.Value.Scores)
            throw new RpcException(GrpcErrors.ToStatus(Problems.ReplicaDoesNotScore()));
    }

    /// <summary>Runs a call, whose unexpected failures become statuses as those of other requests become problems.</summary>
    private async Task<T> RunAsync<T>(ServerCallContext context, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            throw new RpcException(Status.DefaultCancelled);
        }
        catch (Exception e) when (e is not RpcException)
        {
            var problem = ExceptionProblems.ToProblem(e);
            if (problem.Status >= StatusCodes.Status500InternalServerError)
                LogFailure(e, context.Method);
            throw new RpcException(GrpcErrors.ToStatus(problem));
        }
    }

    private static ModelInferResponse Convert(InferAnswer answer, GrpcInferRequest request)
    {
        var response = new ModelInferResponse
        {
            ModelName = answer.Category,
            ModelVersion = answer.Version.ToString(CultureInfo.InvariantCulture),
            Id = request.Id,
            Parameters = { request.Parameters },
        };
        foreach (var (output, _) in answer.Outputs)
        {
            var tensor = answer.GetTensor(output);
            response.Outputs.Add(
                new ModelInferResponse.Types.InferOutputTensor
                {
                    Name = output.Name,
                    Datatype = output.Datatype,
                    Shape = { tensor.Shape },
                }
            );
            response.RawOutputContents.Add(UnsafeByteOperations.UnsafeWrap(tensor.ToBinaryArray()));
        }
        return response;
    }

    private static ModelMetadataResponse.Types.TensorMetadata Convert(ModelEndpoints.TensorMetadata tensor) =>
        new()
        {
            Name = tensor.Name,
            Datatype = tensor.Datatype,
            Shape = { tensor.Shape },
        };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} failed")]
    private partial void LogFailure(Exception exception, string method);
}
