namespace PaDiM.Service.Models;

/// <summary>What a model is exported as.</summary>
internal enum ExportFormat
{
    Safetensors,

    Onnx,
}
