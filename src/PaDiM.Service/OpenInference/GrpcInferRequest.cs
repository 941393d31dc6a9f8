using System.Text;
using Google.Protobuf;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.OpenInference.Messages;

namespace PaDiM.Service.OpenInference;

/// <summary>A request to infer over gRPC. Its images stay in the message until they are scored.</summary>
internal sealed class GrpcInferRequest
{
    private const int MaxParameterBytes = 1 << 16,
        MaxOutputs = 32,
        MaxAxes = 8,
        MaxId = 1024;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly Problem NotOneInput = Problems.InvalidRequest(
        $"A request has one input tensor, '{ImageShape.InputName}', with all its images."
    );

    private readonly byte[] _message;
    private readonly List<long> _shape = [];
    private string? _name,
        _datatype;
    private List<RequestedOutput>? _outputs;
    private (int Start, int Length)? _input,
        _contents,
        _raw;
    private int _parameterBytes;

    private GrpcInferRequest(byte[] message) => _message = message;

    /// <summary>Gets the name of the model.</summary>
    public string Model { get; private set; } = "";

    /// <summary>Gets the version; empty for the active one.</summary>
    public string Version { get; private set; } = "";

    /// <summary>Gets the client's identifier of the request; empty for none.</summary>
    public string Id { get; private set; } = "";

    /// <summary>Gets the parameters of the request.</summary>
    public Dictionary<string, InferParameter> Parameters { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets what the request says about its tensors.</summary>
    public InferHeader Header =>
        new(Id, default, _name, _datatype, _shape, _raw?.Length, default, _outputs, BinaryOutput: true);

    /// <summary>Reads a message.</summary>
    public static Outcome<GrpcInferRequest> Parse(byte[] message)
    {
        var request = new GrpcInferRequest(message);
        try
        {
            return request.Read() is { } problem ? problem : request;
        }
        catch (Exception e)
            when (e is InvalidDataException or InvalidProtocolBufferException or DecoderFallbackException)
        {
            return CreateProblem();
        }
    }

    /// <summary>Gets the images, one after the other.</summary>
    public IAsyncEnumerable<RequestFile> ReadFiles(
        ImageShape shape,
        int maxFileBytes,
        CancellationToken cancellationToken
    ) =>
        _raw is { } raw
            ? TensorData.ReadBinaryAsync(
                new MemoryStream(_message, raw.Start, raw.Length, writable: false),
                raw.Length,
                shape,
                maxFileBytes,
                held: null,
                heldBefore: 0,
                cancellationToken
            )
            : ReadContents(shape, maxFileBytes).ToAsyncEnumerable();

    private Problem? Read()
    {
        var reader = new WireReader(_message, (0, _message.Length));
        while (reader.Read())
            switch (reader.Field, reader.Content)
            {
                case (1, { } name):
                    Model = GetText(name);
                    break;
                case (2, { } version):
                    Version = GetText(version);
                    break;
                case (3, { } id):
                    Id = GetText(id);
                    break;
                case (4, { } parameter):
                    if ((_parameterBytes += parameter.Length) > MaxParameterBytes)
                        return Problems.InvalidRequest($"parameters has at most {MaxParameterBytes} bytes.");
                    AddParameter(parameter);
                    break;
                case (5, { } input):
                    if (_input is not null)
                        return NotOneInput;
                    _input = input;
                    break;
                case (6, { } output):
                    _outputs ??= [];
                    if (_outputs.Count == MaxOutputs)
                        return CreateProblem();
                    AddOutput(output);
                    break;
                case (7, { } raw):
                    if (_raw is not null)
                        return NotOneInput;
                    _raw = raw;
                    break;
                default:
                    break;
            }
        if (Id.Length > MaxId)
            return Problems.InvalidRequest($"id has at most {MaxId} characters.");
        if (_input is not { } found)
            return NotOneInput;
        ReadInput(found);
        return (_raw is null) == (_contents is null)
            ? Problems.InvalidRequest(
                $"'{ImageShape.InputName}' has its data either in contents or in raw_input_contents."
            )
            : null;
    }

    private void ReadInput((int, int) input)
    {
        var reader = new WireReader(_message, input);
        while (reader.Read())
            switch (reader.Field, reader.Content)
            {
                case (1, { } name):
                    _name = GetText(name);
                    break;
                case (2, { } datatype):
                    _datatype = GetText(datatype);
                    break;
                case (3, { } packed):
                    var extents = new WireReader(_message, packed);
                    while (extents.ReadPacked())
                        AddExtent(extents.Number);
                    break;
                case (3, null):
                    AddExtent(reader.Number);
                    break;
                case (5, { } contents):
                    _contents = contents;
                    break;
                default:
                    break;
            }
    }

    private void AddExtent(ulong extent)
    {
        if (_shape.Count == MaxAxes)
            throw new InvalidDataException();
        _shape.Add(unchecked((long)extent));
    }

    private void AddOutput((int, int) output)
    {
        var reader = new WireReader(_message, output);
        var name = "";
        while (reader.Read())
            if (reader is { Field: 1, Content: { } text })
                name = GetText(text);
        _outputs!.Add(new RequestedOutput(name, Binary: null));
    }

    /// <summary>An entry of the map: a name and a message with the value.</summary>
    private void AddParameter((int, int) entry)
    {
        var reader = new WireReader(_message, entry);
        var (name, value) = ("", new InferParameter());
        while (reader.Read())
            if (reader is { Field: 1, Content: { } text })
                name = GetText(text);
            else if (reader is { Field: 2, Content: { } content })
                value = InferParameter.Parser.ParseFrom(_message, content.Start, content.Length);
        Parameters[name] = value;
    }

    private IEnumerable<RequestFile> ReadContents(ImageShape shape, int maxFileBytes)
    {
        var position = _contents!.Value.Start;
        var end = position + _contents.Value.Length;
        var samples = shape.Layout is null ? default : FindSamples();
        for (var i = 0; i < shape.Count; i++)
        {
            var (bytes, fault) = shape.Layout is { } layout
                ? ReadPixels(ref samples, (int)layout.Length)
                : ReadFile(ref position, end, maxFileBytes);
            yield return new RequestFile(ImageShape.InputName, "", bytes, fault, shape.Layout);
            if (fault is not null)
                yield break;
        }
        if (shape.Layout is null ? HasFile(position, end) : samples.Length > 0)
            yield return new RequestFile(ImageShape.InputName, "", [], ImageShape.CreateLengthProblem(), null);
    }

    /// <summary>Field 8 of the contents holds files.</summary>
    private (byte[] Bytes, Problem? Fault) ReadFile(ref int position, int end, int maxFileBytes)
    {
        try
        {
            var reader = new WireReader(_message, (position, end - position));
            while (reader.Read())
                if (reader is { Field: 8, Content: { } file })
                {
                    position = reader.Position;
                    return file.Length > maxFileBytes
                        ? ([], Problems.ImageBytes(maxFileBytes))
                        : (_message.AsSpan(file.Start, file.Length).ToArray(), null);
                }
            return ([], ImageShape.CreateLengthProblem());
        }
        catch (InvalidDataException)
        {
            return ([], CreateProblem());
        }
    }

    private bool HasFile(int position, int end) => ReadFile(ref position, end, int.MaxValue).Fault is null;

    /// <summary>Field 4 of the contents holds samples, packed.</summary>
    private (int Start, int Length) FindSamples()
    {
        try
        {
            var reader = new WireReader(_message, _contents!.Value);
            while (reader.Read())
                if (reader is { Field: 4, Content: { } samples })
                    return samples;
        }
        catch (InvalidDataException)
        {
            // It has no samples then.
        }
        return default;
    }

    private (byte[] Bytes, Problem? Fault) ReadPixels(ref (int Start, int Length) samples, int length)
    {
        if (length > samples.Length)
            return ([], ImageShape.CreateLengthProblem());
        var reader = new WireReader(_message, samples);
        var bytes = GC.AllocateUninitializedArray<byte>(length);
        try
        {
            for (var i = 0; i < length; i++)
            {
                if (!reader.ReadPacked())
                    return ([], ImageShape.CreateLengthProblem());
                if (reader.Number > byte.MaxValue)
                    return ([], ImageShape.CreateSampleProblem());
                bytes[i] = (byte)reader.Number;
            }
        }
        catch (InvalidDataException)
        {
            return ([], CreateProblem());
        }
        samples = (reader.Position, samples.Start + samples.Length - reader.Position);
        return (bytes, null);
    }

    private string GetText((int Start, int Length) content) =>
        content.Length <= MaxParameterBytes
            ? Utf8.GetString(_message, content.Start, content.Length)
            : throw new InvalidDataException();

    private static Problem CreateProblem() =>
        Problems.InvalidRequest("The message is no ModelInferRequest of the Open Inference Protocol.");
}
