using System.Text.Json;
using PaDiM.Service.Http;

namespace PaDiM.Service.OpenInference;

/// <summary>
/// Reads the JSON object of a request to infer. Tensor data and parameters stay where they are in the body: a tree of
/// the numbers of an image would take many times its size.
/// </summary>
internal ref struct InferJson
{
    private const int MaxOutputs = 32,
        MaxAxes = 8,
        MaxId = 1024,
        MaxParameters = 1 << 16;

    private readonly ReadOnlyMemory<byte> _json;
    private Utf8JsonReader _reader;
    private string? _id,
        _name,
        _datatype;
    private ReadOnlyMemory<byte> _parameters,
        _data;
    private List<long> _shape = [];
    private long? _binarySize;
    private List<RequestedOutput>? _outputs;
    private bool _binaryOutput,
        _hasInput;

    private InferJson(ReadOnlyMemory<byte> json)
    {
        _json = json;
        _reader = new Utf8JsonReader(json.Span);
    }

    /// <summary>Reads the object.</summary>
    public static Outcome<InferHeader> Parse(ReadOnlyMemory<byte> json)
    {
        var parser = new InferJson(json);
        try
        {
            return parser.ReadRequest();
        }
        catch (JsonException e)
        {
            return Problems.InvalidRequest(
                $"The body is not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine})."
            );
        }
        catch (BadHttpRequestException e)
        {
            return Problems.InvalidRequest(e.Message);
        }
        // Texts that are no Unicode, and values of another kind.
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            return Problems.InvalidRequest(
                "The body is no request to infer: {\"id\", \"parameters\", \"inputs\": [{\"name\", \"shape\", "
                    + "\"datatype\", \"parameters\", \"data\"}], \"outputs\": [{\"name\", \"parameters\"}]}."
            );
        }
    }

    private Outcome<InferHeader> ReadRequest()
    {
        Read();
        Expect(JsonTokenType.StartObject);
        while (ReadMember() is { } member)
            switch (member)
            {
                case "id":
                    _id = _reader.GetString();
                    break;
                case "parameters":
                    _parameters = ReadParameters(isRequest: true);
                    break;
                case "inputs":
                    Expect(JsonTokenType.StartArray);
                    while (Read() != JsonTokenType.EndArray)
                        ReadInput();
                    break;
                case "outputs" when _reader.TokenType != JsonTokenType.Null:
                    Expect(JsonTokenType.StartArray);
                    _outputs = [];
                    while (Read() != JsonTokenType.EndArray)
                        ReadOutput();
                    break;
                default:
                    _reader.Skip();
                    break;
            }
        // Nothing but spaces may follow.
        if (_reader.Read())
            throw new InvalidOperationException();
        if (!_hasInput)
            return Problems.InvalidRequest(
                $"The request has no input; its images are the input '{ImageShape.InputName}'."
            );
        if (_id?.Length > MaxId)
            return Problems.InvalidRequest($"id has at most {MaxId} characters.");
        if (_parameters.Length > MaxParameters)
            return Problems.InvalidRequest($"parameters has at most {MaxParameters} bytes.");
        return new InferHeader(_id, _parameters, _name, _datatype, _shape, _binarySize, _data, _outputs, _binaryOutput);
    }

    private void ReadInput()
    {
        if (_hasInput)
            throw new BadHttpRequestException(
                $"A request has one input tensor, '{ImageShape.InputName}'; send several images in it, as a batch."
            );
        _hasInput = true;
        Expect(JsonTokenType.StartObject);
        while (ReadMember() is { } member)
            switch (member)
            {
                case "name":
                    _name = _reader.GetString();
                    break;
                case "datatype":
                    _datatype = _reader.GetString();
                    break;
                case "shape":
                    Expect(JsonTokenType.StartArray);
                    _shape = [];
                    while (Read() != JsonTokenType.EndArray)
                        if (_shape.Count == MaxAxes)
                            throw new InvalidOperationException();
                        else
                            _shape.Add(_reader.GetInt64());
                    break;
                case "parameters":
                    ReadParameters(isRequest: false);
                    break;
                case "data":
                    Expect(JsonTokenType.StartArray);
                    _data = SkipValue();
                    break;
                default:
                    _reader.Skip();
                    break;
            }
    }

    private void ReadOutput()
    {
        if (_outputs!.Count == MaxOutputs)
            throw new InvalidOperationException();
        Expect(JsonTokenType.StartObject);
        string? name = null;
        bool? binary = null;
        while (ReadMember() is { } member)
            switch (member)
            {
                case "name":
                    name = _reader.GetString();
                    break;
                case "parameters":
                    Expect(JsonTokenType.StartObject);
                    while (ReadMember() is { } parameter)
                        if (parameter == "binary_data")
                            binary = _reader.GetBoolean();
                        else
                            _reader.Skip();
                    break;
                default:
                    _reader.Skip();
                    break;
            }
        _outputs.Add(new RequestedOutput(name ?? throw new InvalidOperationException(), binary));
    }

    /// <summary>Reads parameters, whose values are texts, numbers and truth values.</summary>
    private ReadOnlyMemory<byte> ReadParameters(bool isRequest)
    {
        if (_reader.TokenType == JsonTokenType.Null)
            return default;
        Expect(JsonTokenType.StartObject);
        var start = (int)_reader.TokenStartIndex;
        while (ReadMember() is { } parameter)
        {
            if (_reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                throw new InvalidOperationException();
            if (isRequest && parameter == "binary_data_output")
                _binaryOutput = _reader.GetBoolean();
            if (!isRequest && parameter == "binary_data_size")
                _binarySize = _reader.GetInt64();
        }
        return _json[start..(int)_reader.BytesConsumed];
    }

    private ReadOnlyMemory<byte> SkipValue()
    {
        var start = (int)_reader.TokenStartIndex;
        _reader.Skip();
        return _json[start..(int)_reader.BytesConsumed];
    }

    /// <summary>Moves to the value of the next member; null at the end of the object.</summary>
    private string? ReadMember()
    {
        if (Read() == JsonTokenType.EndObject)
            return null;
        var name = _reader.GetString();
        Read();
        return name;
    }

    private JsonTokenType Read()
    {
        _reader.Read();
        return _reader.TokenType;
    }

    private readonly void Expect(JsonTokenType token)
    {
        if (_reader.TokenType != token)
            throw new InvalidOperationException();
    }
}
