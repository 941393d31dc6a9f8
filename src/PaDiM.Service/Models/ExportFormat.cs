namespace PaDiM.Service.Models;

/// <summary>The file format of an exported model.</summary>
internal enum ExportFormat
{
    Safetensors,

    Onnx,
}
