"""Labels of annotation tools: files of many formats in, labelled areas in between, and files to correct out."""
