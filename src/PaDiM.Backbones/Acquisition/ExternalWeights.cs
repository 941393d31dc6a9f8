using System.Globalization;
using Google.Protobuf;
using PaDiM.Engine.Graphs;
using PaDiM.Engine.Graphs.Schema;

namespace PaDiM.Backbones.Acquisition;

/// <summary>
/// Reads an ONNX file whose weights are in other files beside it, as newer exporters of PyTorch write them, into one
/// file.
/// </summary>
internal static class ExternalWeights
{
    /// <summary>The limit of a protobuf message, and so of an ONNX file.</summary>
    private const long MaxBytes = int.MaxValue;

    /// <summary>Reads a file with all its weights; null if they are in the file already, or it is no ONNX file.</summary>
    /// <param name="path">The ONNX file. Weights are read only from files in its folder.</param>
    /// <exception cref="InvalidDataException">A file of weights is missing or too short, is elsewhere, or all together
    /// are too large.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static byte[]? Inline(string path)
    {
        ModelProto model;
        try
        {
            using var file = File.OpenRead(path);
            model = ModelProto.Parser.ParseFrom(file);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
        if (model.Graph is null)
            return null;
        TensorProto[] elsewhere =
        [
            .. GraphEditor
                .GetTensors(model.Graph)
                .Where(tensor => tensor.DataLocation == TensorProto.Types.DataLocation.External),
        ];
        if (elsewhere.Length == 0)
            return null;
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var total = new FileInfo(path).Length;
        foreach (var tensor in elsewhere)
        {
            total += ReadInto(tensor, folder, MaxBytes - total);
            tensor.ExternalData.Clear();
            tensor.ClearDataLocation();
        }
        return model.ToByteArray();
    }

    private static long ReadInto(TensorProto tensor, string folder, long most)
    {
        var location = Find("location") ?? "";
        // Names may not lead out of the folder: what is read becomes part of a file that others get.
        if (location.Length == 0 || location != Path.GetFileName(location) || location is "." or "..")
            throw new InvalidDataException(
                $"The weights of '{tensor.Name}' are in '{location}'; they must be in a file beside the ONNX file."
            );
        var weights = new FileInfo(Path.Combine(folder, location));
        if (!weights.Exists)
            throw new InvalidDataException(
                $"The weights of '{tensor.Name}' are in {location}, which is not beside the ONNX file. Copy it there."
            );
        var offset = ReadNumber("offset") ?? 0;
        if (offset < 0 || offset > weights.Length)
            throw TooShort();
        var length = ReadNumber("length") ?? weights.Length - offset;
        if (length < 0 || length > weights.Length - offset)
            throw TooShort();
        if (length > most)
            throw new InvalidDataException("The network with all its weights is larger than 2 GiB.");
        using var file = weights.OpenRead();
        file.Position = offset;
        var bytes = new byte[length];
        file.ReadExactly(bytes);
        tensor.RawData = ByteString.CopyFrom(bytes);
        return length;

        string? Find(string key) => tensor.ExternalData.FirstOrDefault(entry => entry.Key == key)?.Value;

        long? ReadNumber(string key) =>
            Find(key) is not { } text ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : -1;

        InvalidDataException TooShort() =>
            new($"{location} is too short for the weights of '{tensor.Name}'. It belongs to another ONNX file.");
    }
}
