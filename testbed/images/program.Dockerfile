# One static program and nothing else; the build context holds it under the name "program".
FROM scratch
COPY program /program
ENTRYPOINT ["/program"]
