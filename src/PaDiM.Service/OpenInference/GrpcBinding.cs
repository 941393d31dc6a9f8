using Google.Protobuf;
using Grpc.Core;
using PaDiM.Service.OpenInference.Messages;

namespace PaDiM.Service.OpenInference;

/// <summary>
/// The methods of the gRPC service, and how their messages are read and written: the one that carries images as bytes,
/// because objects for them could take many times their size.
/// </summary>
[BindServiceMethod(typeof(GrpcBinding), nameof(Bind))]
internal abstract class GrpcBinding
{
    public const string Name = "inference.GRPCInferenceService";

    /// <summary>Registers the methods. The server passes no instance: it wants their names and marshallers.</summary>
    public static void Bind(ServiceBinderBase binder, GrpcBinding? service)
    {
        Add<ServerLiveRequest, ServerLiveResponse>(nameof(ServerLive), calls => calls.ServerLive);
        Add<ServerReadyRequest, ServerReadyResponse>(nameof(ServerReady), calls => calls.ServerReady);
        Add<ServerMetadataRequest, ServerMetadataResponse>(nameof(ServerMetadata), calls => calls.ServerMetadata);
        Add<ModelReadyRequest, ModelReadyResponse>(nameof(ModelReady), calls => calls.ModelReady);
        Add<ModelMetadataRequest, ModelMetadataResponse>(nameof(ModelMetadata), calls => calls.ModelMetadata);
        binder.AddMethod(
            new Method<byte[], ModelInferResponse>(
                MethodType.Unary,
                Name,
                nameof(ModelInfer),
                Marshallers.Create(bytes => bytes, bytes => bytes),
                CreateMarshaller<ModelInferResponse>()
            ),
            service is null ? null! : new UnaryServerMethod<byte[], ModelInferResponse>(service.ModelInfer)
        );

        void Add<TRequest, TResponse>(string name, Func<GrpcBinding, UnaryServerMethod<TRequest, TResponse>> call)
            where TRequest : class, IMessage<TRequest>, new()
            where TResponse : class, IMessage<TResponse>, new() =>
            binder.AddMethod(
                new Method<TRequest, TResponse>(
                    MethodType.Unary,
                    Name,
                    name,
                    CreateMarshaller<TRequest>(),
                    CreateMarshaller<TResponse>()
                ),
                service is null ? null! : call(service)
            );
    }

    public abstract Task<ServerLiveResponse> ServerLive(ServerLiveRequest request, ServerCallContext context);

    public abstract Task<ServerReadyResponse> ServerReady(ServerReadyRequest request, ServerCallContext context);

    public abstract Task<ServerMetadataResponse> ServerMetadata(
        ServerMetadataRequest request,
        ServerCallContext context
    );

    public abstract Task<ModelReadyResponse> ModelReady(ModelReadyRequest request, ServerCallContext context);

    public abstract Task<ModelMetadataResponse> ModelMetadata(ModelMetadataRequest request, ServerCallContext context);

    public abstract Task<ModelInferResponse> ModelInfer(byte[] request, ServerCallContext context);

    private static Marshaller<T> CreateMarshaller<T>()
        where T : class, IMessage<T>, new()
    {
        var parser = new MessageParser<T>(() => new T()).WithDiscardUnknownFields(true);
        return Marshallers.Create(message => message.ToByteArray(), parser.ParseFrom);
    }
}
