namespace PaDiM.Service.OpenInference;

/// <summary>What a request to infer says about its tensors.</summary>
/// <param name="Id">The client's identifier of the request; null for none.</param>
/// <param name="Parameters">The parameters of the request, a JSON object; empty for none.</param>
/// <param name="Name">Name of the input tensor.</param>
/// <param name="Datatype">Type of its elements.</param>
/// <param name="Shape">Its extents.</param>
/// <param name="BinarySize">The bytes of its data behind the JSON object; null if the data is in it.</param>
/// <param name="Data">Its data, a JSON array; empty if it is not in the JSON object.</param>
/// <param name="Outputs">The tensors to return; null for those that are returned by default.</param>
/// <param name="BinaryOutput">Whether tensors are returned in binary form unless they say otherwise.</param>
internal sealed record InferHeader(
    string? Id,
    ReadOnlyMemory<byte> Parameters,
    string? Name,
    string? Datatype,
    IReadOnlyList<long> Shape,
    long? BinarySize,
    ReadOnlyMemory<byte> Data,
    IReadOnlyList<RequestedOutput>? Outputs,
    bool BinaryOutput
);

/// <summary>A tensor that a request wants.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Binary">Whether it comes in binary form; null for as the request says.</param>
internal sealed record RequestedOutput(string Name, bool? Binary);
