using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PaDiM.Service.Data.Ledger.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "Inspections",
                columns: table => new
                {
                    Key = table.Column<long>(type: "INTEGER", nullable: false),
                    Id = table.Column<string>(type: "TEXT", maxLength: 80, nullable: false),
                    Category = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    Part = table.Column<string>(type: "TEXT", maxLength: 128, nullable: true),
                    Station = table.Column<string>(type: "TEXT", maxLength: 128, nullable: true),
                    Lot = table.Column<string>(type: "TEXT", maxLength: 128, nullable: true),
                    Decision = table.Column<string>(type: "TEXT", nullable: false),
                    Score = table.Column<double>(type: "REAL", nullable: false),
                    Threshold = table.Column<double>(type: "REAL", nullable: false),
                    PValue = table.Column<double>(type: "REAL", nullable: false),
                    DecidedBy = table.Column<string>(type: "TEXT", maxLength: 64, nullable: true),
                    ModelVersion = table.Column<int>(type: "INTEGER", nullable: false),
                    ThresholdVersion = table.Column<int>(type: "INTEGER", nullable: false),
                    Fallback = table.Column<bool>(type: "INTEGER", nullable: false),
                    Regions = table.Column<string>(type: "TEXT", nullable: true),
                    Warnings = table.Column<string>(type: "TEXT", maxLength: 400, nullable: true),
                    Width = table.Column<int>(type: "INTEGER", nullable: false),
                    Height = table.Column<int>(type: "INTEGER", nullable: false),
                    Sha256 = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    Layout = table.Column<string>(type: "TEXT", maxLength: 200, nullable: true),
                    Timings = table.Column<string>(type: "TEXT", maxLength: 100, nullable: false),
                    Replica = table.Column<string>(type: "TEXT", maxLength: 253, nullable: false),
                    ImageBytes = table.Column<long>(type: "INTEGER", nullable: true),
                    Verdict = table.Column<string>(type: "TEXT", nullable: true),
                    Defect = table.Column<string>(type: "TEXT", maxLength: 64, nullable: true),
                    VerdictBy = table.Column<string>(type: "TEXT", maxLength: 200, nullable: true),
                    VerdictAt = table.Column<DateTime>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Inspections", x => x.Key);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category",
                table: "Inspections",
                column: "Category");

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category_Decision",
                table: "Inspections",
                columns: new[] { "Category", "Decision" });

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category_Key_ImageBytes",
                table: "Inspections",
                columns: new[] { "Category", "Key", "ImageBytes" },
                filter: "\"ImageBytes\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category_Part",
                table: "Inspections",
                columns: new[] { "Category", "Part" },
                filter: "\"Part\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category_Score",
                table: "Inspections",
                columns: new[] { "Category", "Score" });

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Category_Verdict",
                table: "Inspections",
                columns: new[] { "Category", "Verdict" },
                filter: "\"Verdict\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Id_Category",
                table: "Inspections",
                columns: new[] { "Id", "Category" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Inspections_Open",
                table: "Inspections",
                column: "Category",
                filter: "\"Verdict\" IS NULL AND \"Decision\" <> 'Normal'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Inspections");
        }
    }
}
