namespace PaDiM.Service.Admission;

/// <summary>How much the images under way may use together.</summary>
/// <param name="Slots">Images that are being scored, from their last byte to their answer.</param>
/// <param name="Cores">Images that are being decoded or drawn.</param>
/// <param name="DecodeBytes">Memory of the requests' images that are being decoded; jobs have the same again.</param>
internal sealed record AdmissionLimits(int Slots, int Cores, long DecodeBytes);
