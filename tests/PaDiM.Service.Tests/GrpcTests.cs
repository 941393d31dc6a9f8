using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using PaDiM.Service.Http;
using PaDiM.Service.Tests.OpenInference;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;
using PaDiM.TestSupport.Parts;

namespace PaDiM.Service.Tests;

/// <summary>The gRPC service of the Open Inference Protocol, asked by a client that its specification describes.</summary>
public sealed class GrpcTests : IAsyncLifetime
{
    private readonly TempDirectory _data = new();
    private RunningService _service = null!;
    private GrpcChannel _channel = null!;
    private GRPCInferenceService.GRPCInferenceServiceClient _client = null!;
    private CategoryClient _category = null!;

    public async ValueTask InitializeAsync()
    {
        _service = await RunningService.StartAsync(
            _data.Path,
            ("GrpcUrl", "http://127.0.0.1:0"),
            ("MaxImageBytes", 1 << 20)
        );
        _channel = Connect();
        _client = new GRPCInferenceService.GRPCInferenceServiceClient(_channel);
        _category = _service.Category("flange");
        await _category.CreateFittedAsync(6);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _service.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task The_server_and_its_models_describe_themselves()
    {
        Assert.True((await _client.ServerLiveAsync(new ServerLiveRequest())).Live);
        Assert.True((await _client.ServerReadyAsync(new ServerReadyRequest())).Ready);
        Assert.Equal("padim", (await _client.ServerMetadataAsync(new ServerMetadataRequest())).Name);
        var model = await _client.ModelMetadataAsync(new ModelMetadataRequest { Name = "flange" });
        Assert.Equal(["1"], model.Versions);
        Assert.Equal(("image", "BYTES"), (model.Inputs.Single().Name, model.Inputs.Single().Datatype));
        Assert.Equal([-1], model.Inputs.Single().Shape);
        Assert.Contains(model.Outputs, output => output is { Name: "map", Datatype: "FP32" });
        Assert.True((await _client.ModelReadyAsync(new ModelReadyRequest { Name = "flange" })).Ready);
        await _service.Category("empty").CreateAsync();
        Assert.False((await _client.ModelReadyAsync(new ModelReadyRequest { Name = "empty" })).Ready);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Files_score_as_over_http(bool raw)
    {
        var expected = await _category.ScoreAsync(Parts.Bad(1));
        var request = Create("BYTES", [2]);
        request.Id = "42";
        request.Parameters["shift"] = new InferParameter { StringParam = "night" };
        byte[][] files = [Parts.Bad(1), Parts.Good(1)];
        if (raw)
            request.RawInputContents.Add(ByteString.CopyFrom([.. files.SelectMany(Element)]));
        else
            request.Inputs[0].Contents = new InferTensorContents
            {
                BytesContents = { files.Select(file => ByteString.CopyFrom(file)) },
            };
        var answer = await _client.ModelInferAsync(request);
        Assert.Equal(("42", "flange", "1"), (answer.Id, answer.ModelName, answer.ModelVersion));
        Assert.Equal("night", answer.Parameters["shift"].StringParam);
        var scores = MemoryMarshal.Cast<byte, double>(Get(answer, "score").Span).ToArray();
        Assert.Equal(expected.Number("score"), scores[0], 1e-4);
        Assert.Equal(
            expected.Number("threshold"),
            BinaryPrimitives.ReadDoubleLittleEndian(Get(answer, "threshold").Span)
        );
        Assert.StartsWith(
            "anomalous",
            Encoding.UTF8.GetString(Get(answer, "decision").Span[4..]),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(answer.Outputs, output => output.Name == "map");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pixels_score_as_their_file_does(bool raw)
    {
        var pixels = SyntheticParts.Good(3, Parts.Side).Pixels;
        var request = Create("UINT8", [1, Parts.Side, Parts.Side, 3]);
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "map" });
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "score" });
        if (raw)
            request.RawInputContents.Add(ByteString.CopyFrom(pixels));
        else
            request.Inputs[0].Contents = new InferTensorContents
            {
                UintContents = { pixels.Select(sample => (uint)sample) },
            };
        var answer = await _client.ModelInferAsync(request);
        Assert.Equal(["map", "score"], answer.Outputs.Select(output => output.Name));
        Assert.Equal(
            (await _category.ScoreAsync(Parts.Good(3))).Number("score"),
            BinaryPrimitives.ReadDoubleLittleEndian(Get(answer, "score").Span),
            1e-4
        );
        var map = MemoryMarshal.Cast<byte, float>(Get(answer, "map").Span).ToArray();
        Assert.Equal(answer.Outputs[0].Shape.Aggregate(1L, (product, extent) => product * extent), map.Length);
        Assert.Equal(BinaryPrimitives.ReadDoubleLittleEndian(Get(answer, "score").Span), map.Max(), 1e-4);
    }

    [Fact]
    public async Task Errors_are_statuses_with_the_code_in_front()
    {
        await RefusedAsync(StatusCode.NotFound, "category_not_found", With(request => request.ModelName = "none"));
        await RefusedAsync(StatusCode.InvalidArgument, "invalid_name", With(request => request.ModelName = "N O"));
        await RefusedAsync(StatusCode.NotFound, "model_not_found", With(request => request.ModelVersion = "9"));
        await RefusedAsync(StatusCode.InvalidArgument, "invalid_request", With(request => request.Inputs.Clear()));
        await RefusedAsync(
            StatusCode.InvalidArgument,
            "invalid_request",
            With(request => request.Inputs.Add(request.Inputs[0].Clone()))
        );
        await RefusedAsync(
            StatusCode.InvalidArgument,
            "invalid_request",
            With(request => request.Inputs[0].Name = "x")
        );
        await RefusedAsync(
            StatusCode.InvalidArgument,
            "invalid_request",
            With(request => request.Inputs[0].Datatype = "FP32")
        );
        await RefusedAsync(
            StatusCode.InvalidArgument,
            "invalid_request",
            With(request => request.Inputs[0].Shape[0] = 2)
        );
        await RefusedAsync(
            StatusCode.InvalidArgument,
            "invalid_request",
            With(request => request.Inputs[0].Contents.BytesContents.Add(ByteString.Empty))
        );
        await RefusedAsync(
            StatusCode.InvalidArgument,
            "invalid_request",
            With(request => request.RawInputContents.Add(ByteString.Empty))
        );
        await RefusedAsync(
            StatusCode.InvalidArgument,
            "image_unreadable",
            With(request => request.Inputs[0].Contents.BytesContents[0] = ByteString.CopyFromUtf8("no image"))
        );
        await RefusedAsync(
            StatusCode.ResourceExhausted,
            null,
            With(request => request.Inputs[0].Contents.BytesContents[0] = ByteString.CopyFrom(new byte[3 << 20]))
        );
        var empty = await Assert.ThrowsAsync<RpcException>(async () =>
            await _client.ModelMetadataAsync(new ModelMetadataRequest { Name = "none" })
        );
        Assert.Equal(StatusCode.NotFound, empty.StatusCode);
    }

    /// <summary>What is no message is refused, and costs no more than its bytes.</summary>
    [Theory]
    [InlineData("FF")]
    [InlineData("0A05")]
    [InlineData("0B")]
    [InlineData("0AFFFFFFFFFFFFFFFFFF01")]
    [InlineData("2A040A02C328")]
    [InlineData("2A0122")]
    [InlineData("2A0B0A05696D6167651A02FFFF")]
    public async Task Bytes_that_are_no_message_are_refused(string hex)
    {
        var method = new Method<byte[], byte[]>(
            MethodType.Unary,
            "inference.GRPCInferenceService",
            "ModelInfer",
            Marshallers.Create(bytes => bytes, bytes => bytes),
            Marshallers.Create(bytes => bytes, bytes => bytes)
        );
        var call = _channel.CreateCallInvoker().AsyncUnaryCall(method, null, default, Convert.FromHexString(hex));
        var error = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public async Task A_deadline_gives_the_image_up()
    {
        using var data = new TempDirectory();
        await using var service = await RunningService.StartAsync(
            data.Path,
            ("GrpcUrl", "http://127.0.0.1:0"),
            ("MaxBatchWaitMs", 1000)
        );
        var category = service.Category("flange");
        await category.CreateFittedAsync(3);
        await category.ScoreAsync(Parts.Bad(1));
        // Sent as a header of its own, so that it is the server that gives up.
        using var http = new HttpClient
        {
            DefaultRequestVersion = new Version(2, 0),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        byte[] message = With(_ => { }).ToByteArray();
        var frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            $"{GetAddress(service)}/inference.GRPCInferenceService/ModelInfer"
        )
        {
            Version = new Version(2, 0),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame) { Headers = { ContentType = new("application/grpc") } },
        };
        request.Headers.Add("grpc-timeout", "100m");
        request.Headers.Add("TE", "trailers");
        using var response = await http.SendAsync(request);
        await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.Headers.Contains("grpc-status"), $"{response}");
        Assert.Equal("4", response.Headers.GetValues("grpc-status").Single());
        Assert.StartsWith(
            "deadline_passed: ",
            response.Headers.GetValues("grpc-message").Single(),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "padim_score_failures_total{code=\"deadline_passed\"} 1",
            await service.Http.GetStringAsync("/metrics"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Keys_see_their_categories()
    {
        var (key, _) = await _service.KeyAsync(AccessScope.Score, ["bolt"]);
        var (full, _) = await _service.KeyAsync(AccessScope.Score);
        Assert.True((await _client.ServerReadyAsync(new ServerReadyRequest())).Ready);
        await RefusedAsync(StatusCode.Unauthenticated, "unauthenticated", With(_ => { }));
        await RefusedAsync(StatusCode.Unauthenticated, "key_unknown", With(_ => { }), "padim_none");
        await RefusedAsync(StatusCode.PermissionDenied, "category_forbidden", With(_ => { }), key);
        var headers = new Metadata { { "x-api-key", full }, { "x-inspection-id", "grpc-1" } };
        var answer = await _client.ModelInferAsync(With(_ => { }), headers);
        Assert.Equal("grpc-1", Encoding.UTF8.GetString(Get(answer, "inspection_id").Span[4..]));
    }

    private GrpcChannel Connect() => GrpcChannel.ForAddress(GetAddress(_service));

    /// <summary>The address that is not the one for HTTP/1.1.</summary>
    private static string GetAddress(RunningService service) =>
        service
            .Get<IServer>()
            .Features.Get<IServerAddressesFeature>()!
            .Addresses.Single(address => new Uri(address) != service.Http.BaseAddress);

    private static ModelInferRequest With(Action<ModelInferRequest> change)
    {
        var request = Create("BYTES", [1]);
        request.Inputs[0].Contents = new InferTensorContents { BytesContents = { ByteString.CopyFrom(Parts.Bad(1)) } };
        change(request);
        return request;
    }

    private static ModelInferRequest Create(string datatype, long[] shape) =>
        new()
        {
            ModelName = "flange",
            Inputs =
            {
                new ModelInferRequest.Types.InferInputTensor
                {
                    Name = "image",
                    Datatype = datatype,
                    Shape = { shape },
                },
            },
        };

    private async Task RefusedAsync(StatusCode status, string? code, ModelInferRequest request, string? key = null)
    {
        var headers = new Metadata();
        if (key is not null)
            headers.Add("authorization", $"Bearer {key}");
        var error = await Assert.ThrowsAsync<RpcException>(async () => await _client.ModelInferAsync(request, headers));
        Assert.Equal(status, error.StatusCode);
        if (code is not null)
            Assert.StartsWith($"{code}: ", error.Status.Detail, StringComparison.Ordinal);
    }

    private static ByteString Get(ModelInferResponse answer, string name) =>
        answer.RawOutputContents[answer.Outputs.ToList().FindIndex(output => output.Name == name)];

    private static byte[] Element(byte[] bytes)
    {
        var element = new byte[sizeof(int) + bytes.Length];
        BinaryPrimitives.WriteInt32LittleEndian(element, bytes.Length);
        bytes.CopyTo(element, sizeof(int));
        return element;
    }
}
